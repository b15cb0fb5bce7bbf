import DiskIO
import PageStorage
import Primitives
import Timelines
import WriteAheadLog

extension StoreCore {
    /// Appends a change to branches and lets it take effect, in one step.
    ///
    /// - Parameter check: Looks, in the critical section, whether the change may be made, and says
    ///   how it reads there.
    func change(
        _ author: Author,
        urgency: Urgency = .ordinary,
        _ action: @autoclosure () -> String,
        _ check: (inout Catalog, NodeSource) throws(LogError) -> Result<LifecycleChange, OxbowError>
    ) throws(OxbowError) -> RecordMark {
        try checkOpen(action())
        try Self.check(author)
        let authorship = Authorship(actor: author.actor, labels: author.labels)
        let outcome = try attempt(action()) { () throws(LogError) in
            try critical(urgency: urgency, growing: 1) {
                catalog,
                nodes throws(LogError) -> Result<RecordMark, OxbowError> in
                let change: LifecycleChange
                switch try check(&catalog, nodes) {
                case .failure(let refusal): return .failure(refusal)
                case .success(let allowed): change = allowed
                }
                return .success(
                    try append(LifecycleRecord(change, authorship), urgency, &catalog, nodes)
                )
            }
        }
        return try outcome.get()
    }

    func append(
        _ record: LifecycleRecord,
        _ urgency: Urgency,
        _ catalog: inout Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> RecordMark {
        try catalog.promote(for: record.change, nodes)
        var locations: [Location] = []
        let line: TimelineID? = record.change.beginsTimeline ? nil : TimelineID.none
        let appended = try log.append(
            .lifecycle,
            timeline: line,
            meta: record.encoded(),
            locations: &locations,
            urgency: urgency
        )
        index(
            appended,
            .lifecycle,
            line ?? TimelineID(appended.lsn),
            pages: 0,
            length: log.end.rawValue - appended.lsn.rawValue
        )
        let mark = RecordMark(lsn: appended.lsn, time: appended.time, clock: appended.clock)
        catalog.apply(record, mark)
        if !record.change.isCutoff { lastChange = appended.lsn }
        return mark
    }

    private static func check(_ author: Author) throws(OxbowError) {
        guard author.actor.utf8.count <= Authorship.maximumActorBytes else {
            throw OxbowError(
                .invalid,
                "an actor of more than \(Authorship.maximumActorBytes) bytes"
            )
        }
        let bytes = author.labels.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard author.labels.count <= Authorship.maximumLabels,
            bytes <= Authorship.maximumLabelBytes
        else {
            throw OxbowError(
                .invalid,
                "more than \(Authorship.maximumLabels) labels, or more than "
                    + "\(Authorship.maximumLabelBytes) bytes of them"
            )
        }
    }

    /// Deletes a branch: it can be undeleted while its history is kept.
    func delete(
        _ branch: BranchID,
        _ author: Author,
        evenProtected: Bool = false
    ) throws(OxbowError) {
        _ = try change(author, urgency: .makingRoom, "delete branch \(branch)") {
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            guard let entry = try catalog.branch(branch, nodes) else {
                return .failure(Self.noBranch(branch))
            }
            if entry.death != nil { return .failure(Self.deleted(entry)) }
            if entry.isProtected, !evenProtected {
                return .failure(Self.protected(entry, "delete"))
            }
            return .success(.delete(branch))
        }
    }

    /// Makes durable what was just changed.
    func sync(_ action: @autoclosure () -> String) throws(OxbowError) {
        try checkOpen(action())
        try attempt(action()) { () throws(LogError) in try log.flushForWriter() }
    }

    /// What stands in the way of a name, if anything does. To be asked last: a name that is free
    /// waits in memory for being given, and a refusal would leave it there.
    func conflict(
        _ name: String,
        _ catalog: inout Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> OxbowError? {
        // Mostly nobody has it, and then it is going to be given.
        guard try catalog.names.promote(NameEntry.key(name), nodes),
            let holder = try catalog.holder(of: name, nodes)
        else { return nil }
        switch holder {
        case .branch(let id):
            guard let entry = try catalog.branch(id, nodes) else { return nil }
            let from = try describe(entry.origin, entry.parent, catalog, nodes)
            return OxbowError(.conflict, "branch \(name) exists already, \(from)")
        case .snapshot(let id):
            let entry = try catalog.snapshots.get(Catalog.key(id), nodes)
            let what = "a snapshot \(name) exists already"
            guard let entry else { return OxbowError(.conflict, what) }
            let owner = try catalog.branch(entry.branch, nodes)?.name ?? "\(entry.branch)"
            return OxbowError(.conflict, "\(what), of \(owner)@\(entry.point.lsn)")
        }
    }

    private func describe(
        _ origin: Origin?,
        _ parent: BranchID?,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> String {
        guard let origin, let parent else { return "made with the store" }
        let name = try catalog.branch(parent, nodes)?.name ?? "\(parent)"
        return "forked from \(name) at \(origin.lsn)"
    }

    /// When a branch is to go, by the log's time.
    func moment(of expiry: Expiry?) throws(OxbowError) -> LogTime? {
        guard let expiry else {
            if options.requiresExpiry {
                throw OxbowError(
                    .invalid,
                    "this store asks for an expiry: state .after, .at or .never"
                )
            }
            return nil
        }
        let now = log.lock.withLock { max(log.lastTime, LogTime(rawValue: clock.now())) }
        let moment: LogTime
        switch expiry {
        case .never: return nil
        case .at(let asked): moment = asked
        case .after(let duration): moment = now.advanced(by: duration)
        }
        guard moment > now else {
            throw OxbowError(
                .invalid,
                "an expiry must lie in the future, and \(moment) does not"
            )
        }
        return moment
    }
}

extension LifecycleChange {
    var isCutoff: Bool {
        if case .cutoff = self { return true }
        return false
    }

    var beginsTimeline: Bool {
        switch self {
        case .create, .reset, .createSnapshot: true
        default: false
        }
    }
}
