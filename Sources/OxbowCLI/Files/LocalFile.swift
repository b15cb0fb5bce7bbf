import CLinux
import Glibc

/// An open file of this machine.
final class LocalFile {
    let path: LocalPath
    let descriptor: Int32

    private init(_ path: LocalPath, _ flags: Int32, _ mode: mode_t = 0) throws(LocalFailure) {
        self.path = path
        descriptor = try path.call("open") { unsafe Glibc.open($0, flags | O_CLOEXEC, mode) }
    }

    deinit { close(descriptor) }

    /// Opens what the path leads to.
    static func reading(
        _ path: LocalPath,
        followingLast: Bool = true
    ) throws(LocalFailure) -> LocalFile {
        // In a tree, what was a file may be a pipe by now, and nobody may write to that.
        try LocalFile(path, O_RDONLY | (followingLast ? 0 : O_NOFOLLOW | O_NONBLOCK))
    }

    /// Makes a file where there is none, for this user alone.
    static func making(_ path: LocalPath) throws(LocalFailure) -> LocalFile {
        try LocalFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    }

    static func folder(_ path: LocalPath) throws(LocalFailure) -> LocalFile {
        try LocalFile(path, O_RDONLY | O_DIRECTORY)
    }

    private func run<Result: SignedInteger>(
        _ verb: String,
        _ body: (Int32) -> Result
    ) throws(LocalFailure) -> Result {
        while true {
            let result = body(descriptor)
            if result != -1 { return result }
            let code = errno
            if code != EINTR { throw LocalFailure(verb: verb, path: path, code: code) }
        }
    }

    func status() throws(LocalFailure) -> LocalStatus {
        var found = stat()
        _ = try run("look at") { unsafe fstat($0, &found) }
        return LocalStatus(status: found)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(LocalFailure) {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try run("write") {
                unsafe pwrite($0, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
        }
    }

    func resize(to size: UInt64) throws(LocalFailure) {
        _ = try run("lengthen") { ftruncate($0, off_t(clamping: size)) }
    }

    func sync() throws(LocalFailure) { _ = try run("sync") { fsync($0) } }

    /// Makes the whole file system that it is on durable.
    func syncAll() throws(LocalFailure) { _ = try run("sync") { oxbow_sync_file_system($0) } }

    /// So that what is read again comes from the disk, as far as it is there.
    func forgetCache() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }

    func setPermissions(_ permissions: UInt16) throws(LocalFailure) {
        _ = try run("set the mode of") { fchmod($0, mode_t(permissions)) }
    }
}

extension LocalFile: ContentSource {
    /// Linux's numbers: the C library has names for them in GNU mode alone.
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4

    func byteCount() throws -> UInt64 { try status().byteCount }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try run("read") {
                unsafe pread($0, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func data(from offset: UInt64) throws -> Range<UInt64>? {
        let size = try byteCount()
        guard offset < size else { return nil }
        do throws(LocalFailure) {
            let start = try run("search") { lseek($0, off_t(offset), Self.seekData) }
            let end = try run("search") { lseek($0, start, Self.seekHole) }
            return UInt64(start)..<max(UInt64(start), UInt64(end))
        } catch {
            switch error.code {
            case ENXIO: return nil
            // A file system that knows of no holes.
            case EINVAL, EOPNOTSUPP: return offset..<size
            default: throw error
            }
        }
    }
}
