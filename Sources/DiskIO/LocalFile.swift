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
        // No file ends behind what the system can count to.
        guard let start = off_t(exactly: offset), start <= off_t.max - off_t(buffer.count) else {
            return 0
        }
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try SystemCall.run("read \(place) at \(offset)") {
                unsafe pread(descriptor, rest.baseAddress, rest.count, start + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        invariant(done <= buffer.count, "read past the buffer")
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        let start = try position(offset, "write \(place) at \(offset)")
        _ = try position(offset + UInt64(bytes.count), "write \(place) at \(offset)")
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try SystemCall.run("write \(place) at \(offset)") {
                unsafe pwrite(descriptor, rest.baseAddress, rest.count, start + off_t(done))
            }
            guard count > 0 else {
                throw .failed(operation: "write \(place)", code: EIO, reason: "nothing written")
            }
            done += count
        }
        invariant(done == bytes.count, "wrote \(done) of \(bytes.count)")
    }

    /// The place as the system counts it, or the error that the system gives for the first that it
    /// cannot count to.
    private func position(
        _ offset: UInt64,
        _ operation: @autoclosure () -> String
    ) throws(DiskError) -> off_t {
        guard let position = off_t(exactly: offset) else {
            throw SystemCall.error(operation(), EFBIG)
        }
        return position
    }

    func sync() throws(DiskError) {
        _ = try SystemCall.run("sync \(place)") { fdatasync(descriptor) }
    }

    func settle() throws(DiskError) {
        try sync()
        // Pages of a write that failed count as clean, so they are dropped too.
        try SystemCall.check("forget what memory holds of \(place)") {
            posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        }
    }

    func allocate(_ length: UInt64) throws(DiskError) {
        // The system call refuses a length of zero.
        if length == 0 { return }
        let end = try position(length, "allocate \(length) bytes for \(place)")
        try SystemCall.check("allocate \(length) bytes for \(place)") {
            posix_fallocate(descriptor, 0, end)
        }
    }

    func truncate(to length: UInt64) throws(DiskError) {
        let end = try position(length, "cut \(place) to \(length)")
        _ = try SystemCall.run("cut \(place) to \(length)") { ftruncate(descriptor, end) }
    }

    func length() throws(DiskError) -> UInt64 { UInt64(try status().st_size) }

    func allocatedBytes() throws(DiskError) -> UInt64 { UInt64(try status().st_blocks) * 512 }

    private func status() throws(DiskError) -> stat {
        var status = stat()
        _ = try SystemCall.run("look at \(place)") { unsafe fstat(descriptor, &status) }
        return status
    }
}
