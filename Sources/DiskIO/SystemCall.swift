import Glibc

/// One wrapper for all system calls: repeats what a signal interrupted, and turns `errno` into a
/// ``DiskError`` in this one place.
enum SystemCall {
    /// Runs a call that returns -1 for a failure.
    static func run<Result: SignedInteger>(
        _ operation: @autoclosure () -> String,
        _ call: () -> Result
    ) throws(DiskError) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            let code = errno
            if code == EINTR { continue }
            throw error(operation(), code)
        }
    }

    /// Runs a call that opens something, and keeps clear of the standard streams' descriptors:
    /// where those were closed, what is printed would go into a file of the store.
    static func open(
        _ operation: @autoclosure () -> String,
        _ call: () -> Int32
    ) throws(DiskError) -> Int32 {
        let descriptor = try run(operation(), call)
        if descriptor > STDERR_FILENO { return descriptor }
        defer { close(descriptor) }
        return try run(operation()) { fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) }
    }

    /// Runs a call that returns an error number, or 0.
    static func check(
        _ operation: @autoclosure () -> String,
        _ call: () -> Int32
    ) throws(DiskError) {
        while true {
            let code = call()
            if code == 0 { return }
            if code == EINTR { continue }
            throw error(operation(), code)
        }
    }

    /// The system's error numbers for what stands in the way of a store, and not in its files.
    static func obstacle(_ code: Int32) -> String? {
        switch code {
        case ENOTDIR: "a file stands where a folder should be"
        case EISDIR: "a folder stands where a file should be"
        case EROFS: "the file system can only be read, and a store is opened for writing"
        case ELOOP: "its symbolic links lead in a circle"
        case EACCES, EPERM: "this user may not read and write there"
        default: nil
        }
    }

    static func isPathTooLong(_ code: Int32) -> Bool { code == ENAMETOOLONG }

    static func error(_ operation: String, _ code: Int32) -> DiskError {
        switch code {
        case ENOENT: .notFound(operation: operation)
        case EEXIST: .exists(operation: operation)
        case ENOSPC, EDQUOT: .full(operation: operation)
        default:
            .failed(
                operation: operation,
                code: code,
                reason: unsafe String(cString: strerror(code))
            )
        }
    }
}
