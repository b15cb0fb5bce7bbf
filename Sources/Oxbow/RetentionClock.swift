import PageStorage
import Primitives
import Timelines
import WriteAheadLog

/// The time by which history and branches go: the calendar's, but held back where that jumps.
///
/// It moves at most as fast as the monotonic clock. Where the calendar is ahead of that by more
/// than it may be, it is believed only after it has stood so for a while, or when somebody says
/// so: one wrong answer of a time server must not delete history.
struct RetentionClock: Sendable {
    static let tolerance: UInt64 = 10 * 1_000_000_000
    static let standingTime: UInt64 = 3600 * 1_000_000_000

    private(set) var trusted: LogTime
    private var monotonic: UInt64
    /// Since when, by the monotonic clock, the calendar has been ahead.
    private(set) var jumpedSince: UInt64?

    /// - Parameter recorded: What the log says of the calendar until now.
    init(after recorded: RecordedClock, calendar: UInt64, monotonic: UInt64) {
        var recorded = recorded
        let jump = recorded.jump
        recorded.take(calendar)
        trusted = LogTime(rawValue: recorded.trusted ?? calendar)
        self.monotonic = monotonic
        // Seen by an earlier process, it is held without being noted again.
        if let jump, recorded.jump == jump { jumpedSince = monotonic }
    }

    /// Takes a look at both clocks, and returns how far a jump is that was just seen first.
    mutating func look(calendar: UInt64, monotonic now: UInt64) -> Int64? {
        let elapsed = now > monotonic ? now - monotonic : 0
        monotonic = now
        let expected = trusted.rawValue &+ elapsed
        if calendar <= expected &+ Self.tolerance {
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

/// What the clock showed, record by record: what can be believed of it when a store is opened.
///
/// A process that was at work while the clock was wrong left records that say so. So where the
/// clock went on by more than a store may have been closed for, it is believed only once it has
/// gone on from there for as long as a jump must stand.
struct RecordedClock: Sendable {
    /// A store may have been closed for so long before anything is held.
    static let tolerance: UInt64 = 24 * 3600 * 1_000_000_000

    private(set) var trusted: UInt64?
    /// Where the clock went to, if that is not believed.
    private(set) var jump: UInt64?

    /// Takes what the clock showed next.
    mutating func take(_ clock: UInt64) {
        if let jump, clock > jump, clock - jump >= RetentionClock.standingTime {
            trusted = jump
            self.jump = nil
        }
        if let trusted, clock > trusted, clock - trusted > Self.tolerance {
            jump = min(jump ?? clock, clock)
        } else {
            trusted = clock
            jump = nil
        }
    }
}

extension RecordedClock {
    /// What the checkpoints say of the clock, and whether a jump before the last one has stood.
    init(_ catalog: Catalog, _ nodes: NodeSource) throws(LogError) {
        do throws(LogError) {
            let newest = try catalog.checkpoints.last(nodes) { _ in true }
            guard let time = newest?.key.high else { return }
            let limit = time - min(time, RetentionClock.standingTime)
            let before = try catalog.checkpoints.last(nodes) { $0.high <= limit }
            let after = try catalog.checkpoints.first(
                from: before?.key.successor ?? .first,
                nodes
            )
            if let before {
                take(before.key.high)
            } else if catalog.state.historyFrom == .zero,
                let first = try catalog.branches.first(from: .first, nodes)
            {
                // No checkpoint was let go of, so the first record of all was before them.
                take(first.value.birth.clock.rawValue)
            }
            if let after { take(after.key.high) }
        } catch {
            guard case .damaged = error else { throw error }
            // By a time that cannot be read nothing goes.
            self = RecordedClock()
            take(0)
        }
    }
}
