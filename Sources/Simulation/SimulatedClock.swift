import DiskIO
package import Primitives

/// A clock that moves by a small random step whenever it is asked, and else only when told to.
///
/// Laws: the monotonic clock never goes back; the calendar clock goes wherever it is told, and
/// keeps pace with the other one between two jumps, down to 1970.
// Safe to share: all state is guarded by `lock`.
package final class SimulatedClock: DiskIO.Clock, @unchecked Sendable {
    /// 2026-01-01T00:00:00Z.
    package static let defaultStart: UInt64 = 1_767_225_600_000_000_000

    private let lock = Lock()
    private var random: SeededRandom
    private let largestStep: Int
    private var calendar: UInt64
    private var sinceBoot: UInt64

    /// A clock whose calendar shows `start` at first, in nanoseconds since 1970, and whose steps
    /// are random from 0 up to the largest.
    package init(
        random: SeededRandom,
        start: UInt64 = SimulatedClock.defaultStart,
        largestStepNanoseconds: Int = 1000
    ) {
        invariant(largestStepNanoseconds >= 0, "a step of \(largestStepNanoseconds) ns")
        self.random = random
        largestStep = largestStepNanoseconds
        calendar = start
        sinceBoot = UInt64(self.random.below(1_000_000_000))
    }

    package convenience init(seed: UInt64, start: UInt64 = SimulatedClock.defaultStart) {
        self.init(random: SeededRandom(seed: seed), start: start)
    }

    package func now() -> UInt64 {
        lock.withLock {
            step()
            return calendar
        }
    }

    // Moves too, so that a loop that waits for a moment ends.
    package func monotonic() -> UInt64 {
        lock.withLock {
            step()
            return sinceBoot
        }
    }

    private func step() { move(UInt64(random.below(largestStep + 1))) }

    private func move(_ nanoseconds: UInt64) {
        calendar = Self.sum(calendar, nanoseconds)
        sinceBoot = Self.sum(sinceBoot, nanoseconds)
    }

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}

extension SimulatedClock {
    /// Lets time pass, on both clocks.
    package func advance(by duration: Duration) {
        let nanoseconds = duration.wholeNanoseconds
        invariant(nanoseconds >= 0, "time passed backwards, by \(duration)")
        lock.withLock { move(UInt64(nanoseconds)) }
    }

    /// Moves the calendar clock alone, forward or back, as a wrong time server does.
    package func jump(by duration: Duration) {
        let nanoseconds = duration.wholeNanoseconds
        lock.withLock {
            let distance = nanoseconds.magnitude
            calendar =
                if nanoseconds >= 0 { Self.sum(calendar, distance) } else {
                    calendar > distance ? calendar - distance : 0
                }
        }
    }

    /// What the calendar shows, without moving on as ``now()`` does.
    package var calendarTime: UInt64 { lock.withLock { calendar } }

    /// Sets the calendar clock alone, to nanoseconds since 1970.
    package func set(_ nanoseconds: UInt64) { lock.withLock { calendar = nanoseconds } }

    /// The clock after a restart of the machine: the same calendar, and a monotonic clock with
    /// another origin.
    package func rebooted() -> SimulatedClock {
        lock.withLock {
            let seed = random.next()
            return SimulatedClock(
                random: SeededRandom(seed: seed),
                start: calendar,
                largestStepNanoseconds: largestStep
            )
        }
    }
}
