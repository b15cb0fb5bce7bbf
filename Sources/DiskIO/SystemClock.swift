import Glibc

/// The machine's clocks.
package struct SystemClock: Clock {
    package init() {}

    package func now() -> UInt64 { Self.read(CLOCK_REALTIME) }

    package func monotonic() -> UInt64 { Self.read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
