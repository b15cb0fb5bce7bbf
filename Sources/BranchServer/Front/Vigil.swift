import Glibc
import Synchronization

/// Whether a loop that has nothing to do looks again at once, or sleeps until it is woken.
///
/// Where one session asks and is answered, again and again, it stays awake for the next event.
/// Where several are at work, or the events come later, others need the processor more.
package struct Vigil {
    /// Whose event came last, to any of the loops that share it.
    package final class Last: Sendable {
        fileprivate let number = Atomic<UInt>(0)

        package init() {}
    }

    /// Only who was the only one at work for so many events in a row.
    private static let streakLength = 8

    private let last: Last
    private let isPossible: Bool
    private var streak = 0
    private var patience = Patience()

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
        patience.noted()
    }

    /// Whether to look again.
    package var isWorthwhile: Bool {
        streak == Self.streakLength && patience.isWorthwhile && isPossible
    }

    /// Something came while it was awake, or did not.
    package mutating func ended(paid: Bool) { patience.ended(paid: paid) }
}
