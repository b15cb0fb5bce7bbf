package import PageStorage
package import Primitives
package import WriteAheadLog

extension Catalog {
    /// Looks up all that a change will touch, so that ``apply(_:_:)`` needs no I/O and cannot fail.
    package mutating func promote(
        for change: LifecycleChange,
        _ nodes: NodeSource
    ) throws(LogError) {
        switch change {
        case .create(let name, _, let origin, _, _):
            try names.promote(NameEntry.key(name), nodes)
            if let origin { try promoteAncestry(of: origin.timeline, nodes) }
        case .delete(let branch): try promote(branch, nodes)
        case .undelete(let branch, let name, _), .rename(let branch, let name),
            .handOver(let branch, let name, _):
            try promote(branch, nodes)
            try names.promote(NameEntry.key(name), nodes)
        case .protect(let branch, _), .expire(let branch, _): try promote(branch, nodes)
        case .reset(let branch, let origin, _):
            try promote(branch, nodes)
            try promoteAncestry(of: origin.timeline, nodes)
        case .createSnapshot(let name, let branch, let origin, _, _):
            try promote(branch, nodes)
            try names.promote(NameEntry.key(name), nodes)
            try promoteAncestry(of: origin.timeline, nodes)
        case .deleteSnapshot(let id):
            try snapshots.promote(Self.key(id), nodes)
            guard let snapshot = snapshots.promoted(Self.key(id)) else { return }
            try names.promote(NameEntry.key(snapshot.name), nodes)
            try timelines.promote(Self.key(snapshot.timeline.rawValue), nodes)
        case .window(let branch, _):
            if let branch { try promote(branch, nodes) }
        case .purge(let ids):
            for id in ids {
                let key = Self.key(id.rawValue)
                let owner = try timelines.promote(key, nodes) { $0.owner }
                if let owner { try branches.promote(Self.key(owner), nodes) }
            }
        case .cutoff, .clockJump: break
        }
    }

    /// A branch, its name and its timeline.
    package mutating func promote(_ branch: BranchID, _ nodes: NodeSource) throws(LogError) {
        try branches.promote(Self.key(branch.rawValue), nodes)
        guard let entry = branches.promoted(Self.key(branch.rawValue)) else { return }
        try names.promote(NameEntry.key(entry.name), nodes)
        try timelines.promote(Self.key(entry.timeline.rawValue), nodes)
    }

    /// A timeline, and those that its jump and the next one lead to: what a child's jump is made
    /// from.
    private mutating func promoteAncestry(
        of timeline: TimelineID,
        _ nodes: NodeSource
    ) throws(LogError) {
        var id = timeline
        for _ in 0..<3 {
            let key = Self.key(id.rawValue)
            guard let jump = try timelines.promote(key, nodes, { $0.jump }), jump != id else {
                return
            }
            id = jump
        }
    }

    /// Lets a lifecycle record take effect. All that it touches was promoted.
    package mutating func apply(_ record: LifecycleRecord, _ mark: RecordMark) {
        switch record.change {
        case .create(let name, let parent, let origin, let root, let expiry):
            let id = BranchID(mark.lsn)
            begin(TimelineID(mark.lsn), owner: id.rawValue, origin, root, mark)
            var entry = BranchEntry(
                name: name,
                birth: mark,
                authorship: record.authorship,
                origin: origin,
                parent: parent,
                timeline: PathInterval(timeline: TimelineID(mark.lsn), from: mark.lsn),
                expiry: nil
            )
            schedule(&entry, id, expiry)
            branches.set(Self.key(id.rawValue), entry)
            give(name, to: .branch(id))
            return
        case .delete(let id):
            changeBranch(id) { entry, catalog in
                catalog.take(entry.name)
                catalog.schedule(&entry, id, nil)
                entry.death = mark
                catalog.close(entry.timeline, true)
            }
        case .undelete(let id, let name, let expiry):
            changeBranch(id) { entry, catalog in
                entry.death = nil
                entry.name = name
                catalog.give(name, to: .branch(id))
                catalog.close(entry.timeline, false)
                catalog.schedule(&entry, id, expiry)
            }
        case .rename(let id, let name):
            changeBranch(id) { entry, catalog in catalog.rename(&entry, id, name) }
        case .handOver(let id, let name, let expiry):
            changeBranch(id) { entry, catalog in
                catalog.rename(&entry, id, name)
                entry.authorship = record.authorship
                catalog.schedule(&entry, id, expiry)
            }
        case .protect(let id, let isProtected):
            changeBranch(id) { entry, _ in entry.isProtected = isProtected }
        case .expire(let id, let moment):
            changeBranch(id) { entry, catalog in catalog.schedule(&entry, id, moment) }
        case .reset(let id, let origin, let root):
            changeBranch(id) { entry, catalog in
                catalog.begin(TimelineID(mark.lsn), owner: id.rawValue, origin, root, mark)
                catalog.close(entry.timeline, true)
                entry.goOn(PathInterval(timeline: TimelineID(mark.lsn), from: mark.lsn))
            }
        case .createSnapshot(let name, let branch, let origin, let point, let root):
            let line = TimelineID(mark.lsn)
            begin(line, owner: mark.lsn.rawValue, origin, root, mark)
            close(line, true)
            let entry = SnapshotEntry(
                name: name,
                birth: mark,
                authorship: record.authorship,
                branch: branch,
                point: origin,
                pointTime: point,
                timeline: line
            )
            snapshots.set(Self.key(mark.lsn.rawValue), entry)
            give(name, to: .snapshot(mark.lsn.rawValue))
        case .deleteSnapshot(let id):
            guard let entry = snapshots.promoted(Self.key(id)) else { break }
            take(entry.name)
            snapshots.remove(Self.key(id))
            timelines.remove(Self.key(entry.timeline.rawValue))
        case .window(let branch?, let window):
            changeBranch(branch) { entry, _ in entry.window = window }
        case .window(nil, let window):
            if let window { state.window = window }
        case .cutoff(let denseFrom, let historyFrom, let dropped):
            state.denseFrom = max(state.denseFrom, denseFrom)
            state.historyFrom = max(state.historyFrom, historyFrom)
            for key in dropped { checkpoints.remove(key) }
            return
        case .purge(let ids):
            var purged: [UInt64: Set<TimelineID>] = [:]
            for id in ids {
                let owner = change(id) { entry in
                    invariant(entry.isClosed, "timeline \(id) is purged and was not closed")
                    entry.pages = PageMap()
                    entry.birthRoot = .none
                    entry.isPurged = true
                    return entry.owner
                }
                if let owner { purged[owner, default: []].insert(id) }
            }
            for (owner, timelines) in purged.sorted(by: { $0.key < $1.key })
            where branches.promoted(Self.key(owner)) != nil {
                changeBranch(BranchID(rawValue: owner)) { entry, _ in entry.forget(timelines) }
            }
            return
        case .clockJump: break
        }
        events.set(
            MapKey(record.change.subject, mark.lsn.rawValue),
            EventEntry(mark: mark, record: record)
        )
    }

    private mutating func begin(
        _ id: TimelineID,
        owner: UInt64,
        _ origin: Origin?,
        _ root: Location?,
        _ mark: RecordMark
    ) {
        var entry = TimelineEntry(
            owner: owner,
            origin: origin,
            depth: 0,
            jump: id,
            birthRoot: root ?? .none,
            birth: mark,
            pages: PageMap(root: root ?? .none)
        )
        if let root { entry.beganEmpty = root == .none }
        if let origin {
            // Brings the parent's layers in step first: the child shares them.
            let parent = change(origin.timeline) { parent in
                if root == nil { entry.pages = parent.pages }
                entry.mergedAs = parent.mergedAs
                entry.depth = parent.depth + 1
                return parent.jump
            }
            guard let parent else {
                preconditionFailure("timeline \(origin.timeline) is gone in the middle of a fork")
            }
            entry.jump = jump(from: origin.timeline, depth: entry.depth - 1, jump: parent)
        }
        entry.epoch = epoch
        timelines.set(Self.key(id.rawValue), entry)
    }

    /// Every timeline has a pointer far up, as in a skew-binary list: from any depth, any ancestor
    /// is found in a logarithm of steps.
    private func jump(from id: TimelineID, depth: UInt32, jump: TimelineID) -> TimelineID {
        func look(_ id: TimelineID) -> (depth: UInt32, jump: TimelineID)? {
            timelines.lendPromoted(Self.key(id.rawValue)) { ($0.depth, $0.jump) }
        }
        guard jump != id, let far = look(jump), let farther = look(far.jump) else { return id }
        return depth - far.depth == far.depth - farther.depth ? far.jump : id
    }

    private mutating func changeBranch(
        _ id: BranchID,
        _ body: (inout BranchEntry, inout Catalog) -> Void
    ) {
        guard var entry = branches.promoted(Self.key(id.rawValue)) else {
            preconditionFailure("branch \(id) is gone in the middle of a change")
        }
        body(&entry, &self)
        branches.set(Self.key(id.rawValue), entry)
    }

    private mutating func close(_ timeline: TimelineID, _ isClosed: Bool) {
        change(timeline) { entry in entry.isClosed = isClosed }
    }

    private mutating func give(_ name: String, to holder: NameEntry.Holder) {
        names.modifySlot(NameEntry.key(name)) { slot in
            guard slot != nil else {
                slot = NameEntry(holders: [(name, holder)])
                return
            }
            invariant(slot?[name] == nil, "the name \(name) is given twice")
            slot?.holders.append((name, holder))
        }
    }

    private mutating func take(_ name: String) {
        let key = NameEntry.key(name)
        guard var entry = names.promoted(key) else { return }
        entry.holders.removeAll { $0.name == name }
        if entry.holders.isEmpty { names.remove(key) } else { names.set(key, entry) }
    }

    private mutating func rename(_ entry: inout BranchEntry, _ id: BranchID, _ name: String) {
        take(entry.name)
        entry.name = name
        give(name, to: .branch(id))
    }

    private mutating func schedule(_ entry: inout BranchEntry, _ id: BranchID, _ moment: LogTime?) {
        if let old = entry.expiry { expiries.remove(MapKey(old.rawValue, id.rawValue)) }
        entry.expiry = moment
        if let moment { expiries.set(MapKey(moment.rawValue, id.rawValue), ExpiryEntry()) }
    }
}

extension LifecycleChange {
    /// The branch, or snapshot, whose history the change belongs to; 0 for the store's.
    package var subject: UInt64 {
        switch self {
        case .delete(let id), .undelete(let id, _, _), .rename(let id, _), .protect(let id, _),
            .expire(let id, _), .reset(let id, _, _), .createSnapshot(_, let id, _, _, _),
            .handOver(let id, _, _):
            id.rawValue
        case .window(let id, _): id?.rawValue ?? 0
        case .deleteSnapshot, .create, .cutoff, .purge, .clockJump: 0
        }
    }
}
