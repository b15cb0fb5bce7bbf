import PageStorage
import Timelines
import WriteAheadLog

/// What there is to know of a branch.
public struct BranchInfo: Sendable, Equatable, Identifiable {
    /// What stays of the branch whatever its name.
    public let id: BranchID
    /// Its name, or the last one it had.
    public let name: String
    /// When it was made.
    public let created: LogTime
    /// Who made it.
    public let author: Author
    /// The branch that it was forked from; nil for the first.
    public let parent: BranchID?
    /// The record whose state it was forked from; nil for the first.
    public let origin: LSN?
    /// The timeline that it writes to.
    public let timeline: TimelineID
    /// Its last record.
    public let head: Point.Neighbor
    /// When it goes by itself.
    public let expires: LogTime?
    /// Whether it refuses to be reset or deleted.
    public let isProtected: Bool
    /// When it was deleted.
    public let deleted: LogTime?
    /// Whether it was deleted, and its history is still kept, so that it can be brought back.
    public let canBeUndeleted: Bool

    init(_ id: BranchID, _ entry: BranchEntry, _ line: TimelineEntry, _ catalog: Catalog) {
        self.id = id
        name = entry.name
        created = entry.birth.time
        author = Author(entry.authorship.actor, labels: entry.authorship.labels)
        parent = entry.parent
        origin = entry.origin?.lsn
        timeline = entry.timeline
        head = Point.Neighbor(lsn: line.last.lsn, time: line.last.time)
        expires = entry.expiry
        isProtected = entry.isProtected
        deleted = entry.death?.time
        canBeUndeleted = catalog.canUndelete(entry, line)
    }
}

extension Catalog {
    /// Whether a branch is deleted, and what it showed then is kept.
    func canUndelete(_ entry: BranchEntry, _ line: TimelineEntry?) -> Bool {
        guard let death = entry.death, let line else { return false }
        return death.lsn >= state.historyFrom && !line.isPurged
    }
}

/// A named point.
public struct SnapshotInfo: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// The branch whose point it is.
    public let branch: BranchID
    /// The record that it pins.
    public let lsn: LSN
    /// The time of that record.
    public let time: LogTime
    /// When the snapshot was made.
    public let created: LogTime
    /// Who made it.
    public let author: Author

    init(_ entry: SnapshotEntry) {
        name = entry.name
        branch = entry.branch
        lsn = entry.pointTime.lsn
        time = entry.pointTime.time
        created = entry.birth.time
        author = Author(entry.authorship.actor, labels: entry.authorship.labels)
    }
}

extension Store {
    /// The branches, oldest first; those that were deleted too, where asked for.
    public func branches(includingDeleted: Bool = false) throws(OxbowError) -> [BranchInfo] {
        try core.checkOpen("list the branches")
        return try attempt("list the branches") { () throws(LogError) in
            try core.look { catalog throws(LogError) in
                var all: [BranchInfo] = []
                try catalog.branches.visit(core.nodes) { key, entry throws(LogError) in
                    if entry.death == nil || includingDeleted,
                        let line = try catalog.timeline(entry.timeline, core.nodes)
                    {
                        all.append(BranchInfo(BranchID(rawValue: key.low), entry, line, catalog))
                    }
                    return true
                }
                return all
            }
        }
    }

    /// A branch by its id, deleted ones too.
    public func branch(_ id: BranchID) throws(OxbowError) -> Branch {
        _ = try core.branchEntry(id, evenDeleted: true)
        return Branch(id, self)
    }

    /// Brings a deleted branch back, under its old name or another.
    ///
    /// - Parameter expires: When the branch goes by itself, whatever was said of it before; left
    ///   out, never, unless the store asks for it to be stated.
    public func undelete(
        _ id: BranchID,
        as name: String? = nil,
        expires: Expiry? = nil,
        by author: Author = Author()
    ) throws(OxbowError) {
        try core.undelete(id, as: name, expires, author)
    }

    /// The deleted branch that had a name last, the one deleted last where there are several.
    public func deletedBranch(_ name: String) throws(OxbowError) -> BranchInfo {
        try Name.check(name)
        let found = try branches(includingDeleted: true).filter { $0.name == name }
            .max { $0.deleted ?? .zero < $1.deleted ?? .zero }
        guard let found, found.deleted != nil else {
            throw OxbowError(.notFound, "there is no deleted branch \(name)")
        }
        return found
    }

    /// Pins a point by a name.
    public func createSnapshot(
        _ name: String,
        of point: Point,
        by author: Author = Author()
    ) throws(OxbowError) {
        try core.createSnapshot(name, of: point, author)
    }

    /// Lets go of a named point.
    public func deleteSnapshot(_ name: String, by author: Author = Author()) throws(OxbowError) {
        try core.deleteSnapshot(name, author)
    }

    /// The named points, oldest first.
    public func snapshots() throws(OxbowError) -> [SnapshotInfo] {
        try core.checkOpen("list the snapshots")
        return try attempt("list the snapshots") { () throws(LogError) in
            try core.look { catalog throws(LogError) in
                var all: [SnapshotInfo] = []
                try catalog.snapshots.visit(core.nodes) { _, entry throws(LogError) in
                    all.append(SnapshotInfo(entry))
                    return true
                }
                return all
            }
        }
    }

    /// A point that a named snapshot pins.
    public func point(snapshot name: String) throws(OxbowError) -> Point {
        try core.look { catalog throws(OxbowError) in
            try core.point(snapshot: name, core.history(catalog))
        }
    }
}

extension Branch {
    /// What there is to know of the branch, also after it was deleted.
    public func info() throws(OxbowError) -> BranchInfo {
        try core.look { catalog throws(OxbowError) in
            let entry = try core.branchEntry(id, catalog, evenDeleted: true)
            let line = try attempt("look up branch \(entry.name)") { () throws(LogError) in
                try catalog.timeline(entry.timeline, core.nodes)
            }
            guard let line else { throw StoreCore.noBranch(id) }
            return BranchInfo(id, entry, line, catalog)
        }
    }

    /// Gives the branch another name.
    public func rename(to name: String, by author: Author = Author()) throws(OxbowError) {
        try core.rename(id, to: name, author)
    }

    /// Gives a branch that was prepared to whom it was prepared for: by another name, as the new
    /// author's, and with an expiry, all at once, as if that author had forked it. Its events tell
    /// that it was handed over, and when.
    ///
    /// - Parameter expires: When the branch goes by itself; left out, never, unless the store asks
    ///   for it to be stated.
    public func handOver(
        as name: String,
        expires: Expiry? = nil,
        to author: Author = Author()
    ) throws(OxbowError) {
        try core.handOver(id, as: name, expires, author)
    }

    /// Makes the branch refuse to be reset or deleted, or no longer.
    public func protect(_ isProtected: Bool = true, by author: Author = Author()) throws(OxbowError)
    {
        try core.changeBranch(id, author, "protect") { _ in .protect(id, isProtected) }
    }

    /// Says when the branch goes by itself.
    public func setExpiry(_ expiry: Expiry, by author: Author = Author()) throws(OxbowError) {
        let moment = try core.moment(of: expiry)
        try core.changeBranch(id, author, "set the expiry of") { _ in .expire(id, moment) }
    }

    /// Asks for a window of the branch's own in place of the store's. All branches share the log,
    /// so history is kept for as long, and as many bytes, as any living branch asks for.
    public func setWindow(
        _ duration: Duration,
        bytes: UInt64,
        by author: Author = Author()
    ) throws(OxbowError) {
        try core.setWindow(duration, bytes, of: id, author)
    }

    /// Deletes the branch. Branches that were forked from it stay; it can be undeleted while its
    /// history is kept.
    public func delete(by author: Author = Author()) throws(OxbowError) {
        try core.delete(id, author)
    }

    /// Puts the branch back to a point. What it showed since stays in its history: see
    /// ``undo(by:)``.
    public func reset(to point: Point, by author: Author = Author()) throws(OxbowError) {
        try core.reset(id, to: point, author)
    }

    /// Undoes the last reset: the branch shows what it showed before it.
    public func undo(by author: Author = Author()) throws(OxbowError) {
        let entry = try core.branchEntry(id)
        guard !entry.before.isEmpty, entry.current.from > .zero else {
            let isGone = entry.current.from > entry.birth.lsn
            throw OxbowError(
                .notFound,
                isGone
                    ? "what branch \(entry.name) showed before its last reset is not kept any more"
                    : "branch \(entry.name) was never reset: nothing to undo"
            )
        }
        let before = try core.point(id, .lsn(LSN(rawValue: entry.current.from.rawValue - 1)))
        try core.reset(id, to: before, author)
    }
}
