import Glibc
import Primitives

/// A file of this machine's file system.
final class LocalFile: File {
    private let descriptor: Int32
    private let place: String

    init(_ descriptor: Int32, place: String) {
        self.descriptor = descriptor
        self.place = place
    }

    deinit { close(descriptor) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try SystemCall.run("read \(place) at \(offset)") {
                unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        invariant(done <= buffer.count, "read past the buffer")
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try SystemCall.run("write \(place) at \(offset)") {
                unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
            guard count > 0 else {
                throw .failed(operation: "write \(place)", code: EIO, reason: "nothing written")
            }
            done += count
        }
        invariant(done == bytes.count, "wrote \(done) of \(bytes.count)")
    }

    func sync() throws(DiskError) {
        _ = try SystemCall.run("sync \(place)") { fdatasync(descriptor) }
    }

    func allocate(_ length: UInt64) throws(DiskError) {
        try SystemCall.check("allocate \(length) bytes for \(place)") {
            posix_fallocate(descriptor, 0, off_t(length))
        }
    }

    func truncate(to length: UInt64) throws(DiskError) {
        _ = try SystemCall.run("cut \(place) to \(length)") { ftruncate(descriptor, off_t(length)) }
    }

    func length() throws(DiskError) -> UInt64 { UInt64(try status().st_size) }

    func allocatedBytes() throws(DiskError) -> UInt64 { UInt64(try status().st_blocks) * 512 }

    private func status() throws(DiskError) -> stat {
        var status = stat()
        _ = try SystemCall.run("look at \(place)") { unsafe fstat(descriptor, &status) }
        return status
    }
}
