import Glibc

/// The signals that ask a process to end: SIGTERM, SIGINT and SIGHUP, taken one by one by who
/// waits for them.
package struct EndSignals: Sendable {
    private let set: sigset_t

    /// Keeps the signals from ending the process. Call before there are other threads, which
    /// would be told instead.
    package static func hold() -> EndSignals {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        return EndSignals(set: set)
    }

    /// Waits for one, for at most that long. Returns whether one came.
    package func wait(atMostMilliseconds limit: Int) -> Bool {
        var pause = timespec()
        pause.tv_sec = limit / 1000
        pause.tv_nsec = limit % 1000 * 1_000_000
        return unsafe withUnsafePointer(to: set) { unsafe sigtimedwait($0, nil, &pause) > 0 }
    }
}
