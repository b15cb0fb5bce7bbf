import PageStorage
import Timelines
import WriteAheadLog

/// A branch: a whole database that reads and writes as if it were alone.
///
/// A handle of the branch's id: it follows renames and resets, and says so after a deletion.
///
///     let main = try store.branch("main")
///     let commit = try main.commit { edit in
///         try edit.write(bytes, page: 0, of: ObjectID(1))
///     }
public struct Branch: Sendable, Identifiable {
    /// What stays of the branch whatever its name.
    public let id: BranchID
    /// A handle keeps its store open.
    package let store: Store
    var core: StoreCore { store.core }

    init(_ id: BranchID, _ store: Store) {
        self.id = id
        self.store = store
    }

    /// Makes changes in one step: all of them, or, where the body throws, none.
    ///
    /// - Parameters:
    ///   - durability: Whether to return when the commit survives a crash, or before.
    ///   - body: Makes the changes. Not on this branch again inside; on another, threads that do it
    ///     in different orders wait for each other for ever.
    @discardableResult
    public func commit(
        _ durability: Durability = .synced,
        _ body: (Edit) throws -> Void
    ) throws -> Commit {
        let edit = Edit(core: core, branch: id)
        defer { edit.end() }
        try body(edit)
        let (commit, end) = try core.publish(edit)
        edit.end()
        if durability == .synced {
            try attempt("commit") { () throws(LogError) in
                try core.log.flushForWriter(through: end)
            }
        }
        return commit
    }

    /// A page as it is now; zeros where none was written.
    public func read(page: PageNumber, of object: ObjectID) throws(OxbowError) -> [UInt8] {
        try core.readHead(id) { map throws(OxbowError) in
            try core.readPage(MapKey(object, page), in: map)
        }
    }

    /// Fills `buffer`, exactly a page long, with a page as it is now.
    public func read(
        page: PageNumber,
        of object: ObjectID,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(OxbowError) {
        try core.readHead(id) { map throws(OxbowError) in
            try unsafe core.readPage(MapKey(object, page), in: map, into: buffer)
        }
    }

    /// The record that a moment snaps to: the last one at or before it.
    public func point(at moment: Moment) throws(OxbowError) -> Point {
        try core.point(id, moment)
    }

    /// As ``point(at:)``, among the records alone that led to what the branch shows now. What a
    /// reset has left behind is none of them.
    package func ancestor(at moment: Moment) throws(OxbowError) -> Point {
        try core.point(id, moment, inDescent: true)
    }

    /// The branch as it was at a point of its history, or of any branch's of the store.
    public func view(at point: Point) throws(OxbowError) -> View {
        try core.checkOwn(point.store, "point", "view branch \(id) at \(point.lsn)")
        // Pinned first, so that reclaim stays below while the state is put together.
        let pin = core.pin(point.lsn)
        defer { core.unpin(pin) }
        return View(store: store, point: point, map: try core.state(at: point))
    }

    /// The branch as it is now, held.
    public func view() throws(OxbowError) -> View {
        // Not by way of its point, which can have left the history by the time it is viewed.
        let head = try core.head(of: id)
        defer { core.unpin(head.pin) }
        return View(store: store, point: core.point(id, head), map: head.map)
    }
}
