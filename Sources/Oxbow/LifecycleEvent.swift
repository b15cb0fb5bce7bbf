import PageStorage
import Timelines
import WriteAheadLog

/// What was done with a branch, or with the store, and who did it. Kept after the branch, and its
/// history, are gone.
public struct LifecycleEvent: Sendable, Equatable {
    /// Where its record stands.
    public let lsn: LSN
    /// Its time in the log.
    public let time: LogTime
    /// What was done: `created`, `deleted`, `undeleted`, `renamed`, `handed over`, `protected`,
    /// `unprotected`, `expiry`, `reset`, `undo` (a reset to where the branch was before its last
    /// one), `snapshot` or `window`; of the store `snapshot deleted`, `window` or `clock jump`.
    public internal(set) var action: String
    /// The new name, the point, or what else belongs to it.
    public internal(set) var detail: String
    /// Who did it.
    public let author: Author
}

extension Branch {
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

extension Store {
    /// What was done with the store itself, in order: which snapshots were deleted, which windows
    /// were set, and where the clock jumped. The rest was done with a branch: see
    /// ``Branch/events()``.
    public func events() throws(OxbowError) -> [LifecycleEvent] {
        try core.checkOpen("list the events of the store")
        return try attempt("list the events of the store") { () throws(LogError) in
            try core.look { catalog throws(LogError) in try core.storeEvents(catalog) }
        }
    }
}

extension StoreCore {
    fileprivate func storeEvents(_ catalog: Catalog) throws(LogError) -> [LifecycleEvent] {
        var list: [LifecycleEvent] = []
        // Where in the list the deletions are. The name stands where the snapshot was made.
        var unnamed: [UInt64: Int] = [:]
        try catalog.events.visit(nodes) { key, event throws(LogError) in
            switch event.record.change {
            case .createSnapshot(let name, _, _, _, _):
                if let place = unnamed.removeValue(forKey: event.mark.lsn.rawValue) {
                    list[place].detail = name
                }
            case .deleteSnapshot(let id): unnamed[id] = list.count
            default: break
            }
            if key.high == 0 { list.append(LifecycleEvent(event)) }
            return key.high == 0 || !unnamed.isEmpty
        }
        return list
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
