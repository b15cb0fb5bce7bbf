import Foundation
import Glibc

/// A file without an engine: the bound of what one can do.
package final class RawFile {
    private let descriptor: Int32
    package let path: String

    package init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RawFile.failure("open \(path)") }
    }

    deinit { close(descriptor) }

    private static func failure(_ what: String) -> BenchmarkError {
        BenchmarkError("\(what): \(String(cString: strerror(errno)))")
    }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor,
                bytes.baseAddress.map { $0 + done },
                bytes.count - done,
                offset + done
            )
            guard count > 0 else { throw RawFile.failure("write \(path)") }
            done += count
        }
    }

    package func read(_ target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        let count = pread(descriptor, target.baseAddress, target.count, offset)
        guard count >= 0 else { throw RawFile.failure("read \(path)") }
        return count
    }

    /// As ``read(_:at:)``, all of it.
    package func readAll(_ target: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        guard try read(target, at: offset) == target.count else {
            throw BenchmarkError("read \(path): cut short")
        }
    }

    package func sync() throws {
        guard fdatasync(descriptor) == 0 else { throw RawFile.failure("sync \(path)") }
    }

    /// Writes bytes that no file system takes for a hole, durably.
    package func fill(_ byteCount: Int) throws {
        let piece = [UInt8](repeating: 0xA5, count: 1 << 20)
        var offset = 0
        while offset < byteCount {
            let count = min(piece.count, byteCount - offset)
            try piece.withUnsafeBytes { try write(.init(rebasing: $0[..<count]), at: offset) }
            offset += count
        }
        try sync()
    }
}

/// What takes a folder's files out of the kernel's memory.
package enum KernelCache {
    /// What is used here, in words.
    package static var method: String {
        canDropAll ? "posix_fadvise and drop_caches" : "posix_fadvise"
    }

    private static let switchPath = "/proc/sys/vm/drop_caches"
    private static var canDropAll: Bool { access(switchPath, W_OK) == 0 }

    /// Syncs and drops the files of a folder; with `all`, and as root, everything of the machine.
    package static func drop(_ folder: String, all: Bool = false) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let descriptor = open(folder + "/" + name, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            fdatasync(descriptor)
            posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        }
        guard all, canDropAll else { return }
        sync()
        let handle = open(switchPath, O_WRONLY | O_CLOEXEC)
        guard handle >= 0 else { return }
        defer { close(handle) }
        _ = write(handle, "1\n", 2)
    }

    /// How many bytes of disk a folder's files take.
    package static func allocatedBytes(_ folder: String) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) { sum, name in
            var status = stat()
            guard stat(folder + "/" + name, &status) == 0 else { return sum }
            return sum + Int(status.st_blocks) * 512
        }
    }

    /// A copy of a folder as it lies on the disk: of an open store, what a crash leaves.
    package static func copy(_ folder: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: folder, toPath: target)
        try? FileManager.default.removeItem(atPath: target + "/lock")
        for name in try FileManager.default.contentsOfDirectory(atPath: target) {
            try RawFile(target + "/" + name).sync()
        }
    }
}
