/// Whether it pays to stay awake for what comes next, from what came of it before.
///
/// Being woken takes 10 to 30 µs on a virtual machine. Who looks again and again instead has what
/// comes sooner than that, and takes a processor for nothing where it comes later.
package struct Patience: Sendable {
    /// How long it is worthwhile to look.
    package static let nanoseconds: UInt64 = 60_000
    /// Where it did not pay it is not tried again for so many events, at first and at most.
    private static let pauses = (first: 2, longest: 1024)

    /// Of the last 16 times, those that paid.
    private var outcomes: UInt16 = .max
    private var pause = 0
    private var nextPause = pauses.first

    package init() {}

    /// Whether to look again, and then to tell what came of it.
    package var isWorthwhile: Bool { pause == 0 }

    /// Takes note of an event.
    package mutating func noted() { if pause > 0 { pause -= 1 } }

    /// Something came while it looked, or did not.
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
