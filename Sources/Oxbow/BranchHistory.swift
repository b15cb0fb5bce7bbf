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

/// What was done with a branch, and who did it. Kept after the branch, and its history, are gone.
public struct LifecycleEvent: Sendable, Equatable {
    /// Where its record stands.
    public let lsn: LSN
    /// Its time in the log.
    public let time: LogTime
    /// What was done: `created`, `deleted`, `undeleted`, `renamed`, `handed over`, `protected`,
    /// `unprotected`, `expiry`, `reset`, `undo` (a reset to where the branch was before its last
    /// one), `snapshot` or `window`.
    public internal(set) var action: String
    /// The new name, the point, or what else belongs to it.
    public let detail: String
    /// Who did it.
    public let author: Author
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
        var list: [HistoryEntry] = []
        do throws(History.Miss) {
            var place = try start(end, cursor, entry, history)
            while let current = place, list.count < max(0, limit) {
                list.append(try describe(current, history))
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

    /// What was done with the branch, in order.
    public func events() throws(OxbowError) -> [LifecycleEvent] {
        try core.look { catalog throws(OxbowError) in try events(catalog) }
    }

    private func events(_ catalog: Catalog) throws(OxbowError) -> [LifecycleEvent] {
        let entry = try core.branchEntry(id, catalog, evenDeleted: true)
        var list = [
            LifecycleEvent(
                lsn: entry.birth.lsn,
                time: entry.birth.time,
                action: "created",
                detail: entry.origin.map { "from \($0.lsn)" } ?? "",
                author: Author(entry.authorship.actor, labels: entry.authorship.labels)
            )
        ]
        // The timelines that the branch was on so far.
        var lines = [TimelineID(entry.birth.lsn)]
        try attempt("list the events of \(entry.name)") { () throws(LogError) in
            let from = MapKey(id.rawValue, 0)
            try catalog.events.visit(from: from, core.nodes) { key, event throws(LogError) in
                guard key.high == id.rawValue else { return false }
                var told = LifecycleEvent(event)
                if case .reset(_, let origin, _) = event.record.change {
                    if try isUndo(to: origin, lines, catalog) { told.action = "undo" }
                    lines.append(TimelineID(event.mark.lsn))
                }
                list.append(told)
                return true
            }
        }
        return list
    }

    /// Whether a reset led back to the end of the timeline that the branch was on before its last
    /// reset: what ``undo(by:)`` does.
    private func isUndo(
        to origin: Origin,
        _ lines: [TimelineID],
        _ catalog: Catalog
    ) throws(LogError) -> Bool {
        guard lines.count > 1, origin.timeline == lines[lines.count - 2] else { return false }
        return try catalog.timeline(origin.timeline, core.nodes)?.last.lsn == origin.lsn
    }
}

extension LifecycleEvent {
    init(_ event: EventEntry) {
        lsn = event.mark.lsn
        time = event.mark.time
        author = Author(event.record.authorship.actor, labels: event.record.authorship.labels)
        switch event.record.change {
        case .create(let name, _, _, _, _): (action, detail) = ("created", name)
        case .delete: (action, detail) = ("deleted", "")
        case .undelete(_, let name, _): (action, detail) = ("undeleted", name)
        case .rename(_, let name): (action, detail) = ("renamed", name)
        case .handOver(_, let name, _): (action, detail) = ("handed over", name)
        case .protect(_, let isProtected):
            (action, detail) = (isProtected ? "protected" : "unprotected", "")
        case .expire(_, let moment):
            (action, detail) = ("expiry", moment.map(\.description) ?? "never")
        case .reset(_, let origin, _): (action, detail) = ("reset", "to \(origin.lsn)")
        case .createSnapshot(let name, _, let origin, _, _):
            (action, detail) = ("snapshot", "\(name) of \(origin.lsn)")
        case .deleteSnapshot(let id): (action, detail) = ("snapshot deleted", "\(id)")
        case .window(_, let window):
            (action, detail) = (
                "window", window.map { "\($0.nanoseconds) ns, \($0.bytes) bytes" } ?? ""
            )
        case .purge(let timelines): (action, detail) = ("purged", "\(timelines.count) timelines")
        case .cutoff(let dense, let from, _):
            (action, detail) = ("cutoff", "dense from \(dense), kept from \(from)")
        case .clockJump(let nanoseconds): (action, detail) = ("clock jump", "\(nanoseconds) ns")
        }
    }
}
