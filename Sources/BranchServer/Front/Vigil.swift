import Glibc
import Synchronization

/// Whether a loop that has nothing to do looks again at once, or sleeps until it is woken.
///
/// To be woken takes 10 to 30 µs on a virtual machine, twice for each message that passes. Where one
/// session asks and is answered, again and again, the next event is nearer than that, so it pays to
/// stay awake for it. Where several are at work, or the events come later, others need the
/// processor more.
package struct Vigil {
    /// Whose event came last, to any of the loops that share it.
    package final class Last: Sendable {
        fileprivate let number = Atomic<UInt>(0)

        package init() {}
    }

    /// So long after an event at most.
    static let nanoseconds: UInt64 = 60_000
    /// Only who was the only one at work for so many events in a row.
    private static let streakLength = 8
    /// After a vigil that did not pay it is not tried again for so many events, at first and at most.
    private static let pauses = (first: 2, longest: 1024)

    private let last: Last
    private let isPossible: Bool
    private var streak = 0
    /// Of the last 16 vigils, those that paid.
    private var outcomes: UInt16 = .max
    private var pause = 0
    private var nextPause = pauses.first

    /// There must be a processor left for those whom it waits for.
    package init(
        _ last: Last,
        processors: Int = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    ) {
        self.last = last
        isPossible = processors > 1
    }

    /// Takes note of an event, and whom it was for.
    package mutating func noted(_ handler: AnyObject) {
        let number = UInt(bitPattern: ObjectIdentifier(handler))
        if last.number.load(ordering: .relaxed) == number {
            streak = min(streak + 1, Self.streakLength)
        } else {
            last.number.store(number, ordering: .relaxed)
            streak = 0
        }
        if pause > 0 { pause -= 1 }
    }

    /// Whether to look again.
    package var isWorthwhile: Bool { streak == Self.streakLength && pause == 0 && isPossible }

    /// Something came while it was awake, or did not.
    package mutating func ended(paid: Bool) {
        outcomes = outcomes << 1 | (paid ? 1 : 0)
        guard outcomes.nonzeroBitCount < 8 else {
            if outcomes == .max { nextPause = Self.pauses.first }
            return
        }
        pause = nextPause
        nextPause = min(2 * nextPause, Self.pauses.longest)
        outcomes = .max
    }
}
