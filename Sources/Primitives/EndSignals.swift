import Glibc

/// The signals that end a process, taken one by one by who waits for them.
package struct EndSignals: Sendable {
    package struct Signal: Sendable {
        package let number: Int32
        /// Whether a key of the terminal sent it, and so to all of the group.
        package let isKey: Bool
    }

    /// Those that ask for the end.
    package static let usual: Set<Int32> = [SIGTERM, SIGINT, SIGHUP]
    /// With all others that end who does not expect them, but for those that tell of a fault, and
    /// SIGPIPE.
    package static let all = usual.union([
        SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT,
    ]).union(34...64)

    private let set: sigset_t

    /// Keeps the signals from ending the process. Call before there are other threads, which
    /// would be told instead.
    package static func hold(_ signals: Set<Int32> = usual) -> EndSignals {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        return EndSignals(set: set)
    }

    /// Waits for one, for at most that long. Returns whether one came.
    package func wait(atMostMilliseconds limit: Int) -> Bool {
        next(atMostMilliseconds: limit) != nil
    }

    /// The next one that comes within that time.
    package func next(atMostMilliseconds limit: Int) -> Signal? {
        var pause = timespec()
        pause.tv_sec = limit / 1000
        pause.tv_nsec = limit % 1000 * 1_000_000
        var information = unsafe siginfo_t()
        let number = unsafe withUnsafePointer(to: set) {
            unsafe sigtimedwait($0, &information, &pause)
        }
        guard number > 0 else { return nil }
        let code = unsafe information.si_code
        // What the kernel sends by itself is above zero.
        let isKey = (number == SIGINT || number == SIGQUIT) && code > 0
        return Signal(number: number, isKey: isKey)
    }
}
