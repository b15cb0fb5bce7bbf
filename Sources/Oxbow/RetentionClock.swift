import Primitives

/// The time by which history and branches go: the calendar's, but held back where that jumps.
///
/// It moves at most as fast as the monotonic clock. Where the calendar is ahead of that by more
/// than it may be, it is believed only after it has stood so for a while, or when somebody says
/// so: one wrong answer of a time server must not delete history.
struct RetentionClock: Sendable {
    /// A store may have been closed for so long before anything is held.
    static let toleranceAtOpening: UInt64 = 24 * 3600 * 1_000_000_000
    static let tolerance: UInt64 = 10 * 1_000_000_000
    static let standingTime: UInt64 = 3600 * 1_000_000_000

    private(set) var trusted: LogTime
    private var monotonic: UInt64
    private var tolerance = Self.toleranceAtOpening
    /// Since when, by the monotonic clock, the calendar has been ahead.
    private(set) var jumpedSince: UInt64?

    init(lastTime: LogTime, monotonic: UInt64) {
        trusted = lastTime
        self.monotonic = monotonic
    }

    /// Takes a look at both clocks, and returns how far a jump is that was just seen first.
    mutating func look(calendar: UInt64, monotonic now: UInt64) -> Int64? {
        let elapsed = now > monotonic ? now - monotonic : 0
        monotonic = now
        let expected = trusted.rawValue &+ elapsed
        if calendar <= expected &+ tolerance {
            tolerance = Self.tolerance
            jumpedSince = nil
            trusted = LogTime(rawValue: max(trusted.rawValue, calendar))
            return nil
        }
        trusted = LogTime(rawValue: expected)
        guard let since = jumpedSince else {
            jumpedSince = now
            return Int64(clamping: calendar - expected)
        }
        if now - since >= Self.standingTime { confirm(calendar) }
        return nil
    }

    /// Believes the calendar.
    mutating func confirm(_ calendar: UInt64) {
        trusted = LogTime(rawValue: max(trusted.rawValue, calendar))
        jumpedSince = nil
    }
}
