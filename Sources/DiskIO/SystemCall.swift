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
