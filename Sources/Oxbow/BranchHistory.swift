import PageStorage
import Timelines
import WriteAheadLog

/// A record in a branch's history.
public struct HistoryEntry: Sendable, Equatable {
    /// What the record did.
    public enum Kind: String, Sendable {
        /// Changed pages.
        case commit
        /// Began the timeline: a fork, a reset, or the store.
        case began
        /// Of the time for which only checkpoints are kept: a state, and not what led to it.
        case checkpoint
    }

    /// Where it stands.
    public let lsn: LSN
    /// Its time in the log.
    public let time: LogTime
    /// What the clock said.
    public let clock: LogTime
    /// The timeline that it stands on.
    public let timeline: TimelineID
    /// What it did.
    public let kind: Kind
    /// How many page changes it made.
    public let pages: Int
    /// How many bytes of log it takes.
    public let bytes: Int
}

extension Branch {
    /// From which end to list a history.
    public enum End: Sendable {
        /// From the newest record back.
        case newest
        /// From the oldest that is kept on.
        case oldest
    }

    /// A page of the branch's history, through forks and resets: at most `limit` records from one
    /// end, or from the record after `cursor` in that direction. A cursor need be no record of it.
    public func history(
        from end: End = .newest,
        after cursor: LSN? = nil,
        limit: Int = 100
    ) throws(OxbowError) -> [HistoryEntry] {
        try core.look { catalog throws(OxbowError) in
            try history(from: end, after: cursor, limit: limit, core.history(catalog))
        }
    }

    private func history(
        from end: End,
        after cursor: LSN?,
        limit: Int,
        _ history: History
    ) throws(OxbowError) -> [HistoryEntry] {
        let entry = try core.branchEntry(id, history.catalog, evenDeleted: true)
        let readableEnd = core.log.readableEnd
        var list: [HistoryEntry] = []
        do throws(History.Miss) {
            var place = try start(end, cursor, entry, history)
            while let current = place, list.count < max(0, limit) {
                if current.mark.lsn < readableEnd { list.append(try describe(current, history)) }
                place =
                    end == .newest
                    ? try history.previous(of: entry, before: current)
                    : try first(after: current.mark.lsn, entry, history)
            }
        } catch {
            switch error {
            case .log(let error): throw OxbowError(error, "list the history of \(entry.name)")
            case .beforeHistory: break
            }
        }
        return list
    }

    private func start(
        _ end: End,
        _ cursor: LSN?,
        _ entry: BranchEntry,
        _ history: History
    ) throws(History.Miss) -> History.Place? {
        switch (end, cursor) {
        case (.newest, nil): return try history.last(of: entry, Bound())
        case (.newest, let cursor?):
            guard cursor > .zero else { return nil }
            return try history.last(of: entry, Bound(lsn: LSN(rawValue: cursor.rawValue - 1)))
        case (.oldest, _): return try first(after: cursor ?? .zero, entry, history)
        }
    }

    private func first(
        after lsn: LSN,
        _ entry: BranchEntry,
        _ history: History
    ) throws(History.Miss) -> History.Place? {
        do throws(LogError) { return try history.first(of: entry, after: lsn) } catch {
            throw .log(error)
        }
    }

    private func describe(
        _ place: History.Place,
        _ history: History
    ) throws(History.Miss) -> HistoryEntry {
        let record: RecordEntry?
        do throws(LogError) { record = try history.record(at: place) } catch { throw .log(error) }
        let kind: HistoryEntry.Kind =
            switch record?.kind {
            case .commit: .commit
            case .lifecycle: .began
            default: .checkpoint
            }
        return HistoryEntry(
            lsn: place.mark.lsn,
            time: place.mark.time,
            clock: place.mark.clock,
            timeline: place.timeline,
            kind: kind,
            pages: Int(record?.pages ?? 0),
            bytes: Int(record?.length ?? 0)
        )
    }
}
