import Timelines
import WriteAheadLog

/// How a moment is asked for.
public enum Moment: Sendable, Equatable {
    /// What the branch shows now.
    case head
    /// After the record at this position, or the last one before it.
    case lsn(LSN)
    /// After the last record at or before this time.
    case time(LogTime)
    /// So long before now.
    case ago(Duration)
    /// What a named snapshot holds, whichever branch is asked: the point is of the branch that the
    /// snapshot was made of.
    case snapshot(String)
}

/// A record of a branch's history, and so the state that the branch was in after it: what one
/// forks from, reads at and resets to.
///
///     let before = try main.point(at: .time(moment))
///     let rescue = try store.fork("rescue", from: before)
public struct Point: Sendable, Equatable {
    /// The branch that was asked; of a snapshot, the one that it was made of.
    public let branch: BranchID
    /// The timeline that the record stands on: the branch's own, or an ancestor's.
    public let timeline: TimelineID
    /// The record that the request snapped to: the last one at or before it.
    public let lsn: LSN
    /// The record's time in the log, unique in the store.
    public let time: LogTime
    /// What the clock said when the record was made. Where it differs from ``time`` by more than a
    /// second, the clock had jumped back.
    public let clock: LogTime
    /// What was asked for.
    public let requested: Moment
    /// How long before the requested time the record was made; nil where no time was asked for.
    public let distance: Duration?
    /// The record after this one on the branch's path, of those that are kept; nil at its head.
    public let next: Neighbor?

    /// A record beside a point.
    public struct Neighbor: Sendable, Equatable {
        /// Where it stands.
        public let lsn: LSN
        /// Its time in the log.
        public let time: LogTime
    }

    /// Where the state is kept: at the record, or, of a snapshot, on a timeline of its own.
    let origin: Origin
    /// Whose point it is: elsewhere its ids and positions mean something else. Stays when the store
    /// is opened anew.
    let store: StoreID
    var recordOrigin: Origin { Origin(timeline: timeline, lsn: lsn) }
    var mark: RecordMark { RecordMark(lsn: lsn, time: time, clock: clock) }
}

extension Moment {
    /// Reads what people write: `L16B3F28`, `2026-04-08T22:56:02Z`, `10m` (back from now; also
    /// `ns`, `us`, `ms`, `s`, `h`, `d`), `head`, or a snapshot's name.
    public init(parsing text: String) throws(OxbowError) {
        if text == "head" {
            self = .head
        } else if let lsn = LSN(text) {
            self = .lsn(lsn)
        } else if let time = LogTime(rfc3339: text) {
            self = .time(time)
        } else if let duration = Duration(parsing: text) {
            self = .ago(duration)
        } else if Name.isValid(text) {
            self = .snapshot(text)
        } else {
            throw OxbowError(
                .invalid,
                "\"\(text.prefix(80))\" is no moment: write an LSN (L16B3F28), a time with its "
                    + "zone "
                    + "(2026-04-08T22:56:02Z), a duration back (10m), a snapshot's name, or head"
            )
        }
    }
}

extension Duration {
    /// Reads a number and a unit, such as `90s` or `1.5h`: `ns`, `us`, `ms`, `s`, `m`, `h`, `d`.
    /// More than three centuries are longer than a log time can be, and read as about that.
    public init?(parsing text: String) {
        let units: [(String, Double)] = [
            ("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600),
            ("d", 86_400),
        ]
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let factor = units.first(where: { $0.0 == text.dropFirst(digits.count) })?.1,
            let first = digits.first, first != ".", digits.last != ".", let value = Double(digits)
        else { return nil }
        self = .seconds(min(value * factor, 1e10))
    }
}
