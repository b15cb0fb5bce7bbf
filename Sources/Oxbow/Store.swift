import DiskIO
import PageStorage
import Timelines
import WriteAheadLog

/// A store: branches of pages over one log, in a folder or in memory.
///
///     let store = try Store.open("/var/lib/app")
///     let main = try store.branch("main")
///     try main.commit { edit in try edit.write(bytes, page: 0, of: ObjectID(1)) }
///     let copy = try store.fork("pr-1432", from: main, expires: .after(.seconds(3600)))
///
/// Everything here may be called from any thread. The store closes with its last reference, or by
/// ``close()``.
public final class Store: Sendable {
    let core: StoreCore

    init(_ core: StoreCore) { self.core = core }

    deinit { core.shutDown() }

    /// Everything below this position of the log survives a crash.
    public var durableLSN: LSN { core.log.durable }

    /// Bytes in a page.
    public var pageSize: Int { core.geometry.pageSize }

    /// Looks up a branch by its name.
    public func branch(_ name: String) throws(OxbowError) -> Branch {
        try core.checkOpen("look up branch \(name)")
        try Name.check(name)
        let holder = try attempt("look up branch \(name)") { () throws(LogError) in
            try core.critical { catalog, nodes throws(LogError) in
                try catalog.holder(of: name, nodes)
            }
        }
        guard case .branch(let id)? = holder else {
            throw OxbowError(.notFound, "there is no branch \(name)")
        }
        return Branch(id, self)
    }

    /// Makes a branch of what another shows now. It costs the same however much is in it. Durable
    /// with the next flush: see ``sync()``.
    ///
    /// - Parameter expires: When the branch goes by itself; left out, never, unless the store asks
    ///   for it to be stated.
    @discardableResult
    public func fork(
        _ name: String,
        from parent: Branch,
        expires: Expiry? = nil,
        by author: Author = Author()
    ) throws(OxbowError) -> Branch {
        try core.checkOwn(parent.core.storeID, "branch", "fork \(name)")
        return Branch(try core.fork(name, .head(parent.id), expires, author), self)
    }

    /// Makes a branch of what another showed at a point of its history.
    @discardableResult
    public func fork(
        _ name: String,
        from point: Point,
        expires: Expiry? = nil,
        by author: Author = Author()
    ) throws(OxbowError) -> Branch {
        Branch(try core.fork(name, .point(point), expires, author), self)
    }

    /// Makes a branch of what a view shows, also where its point has left the history that is kept
    /// since the view was taken.
    @discardableResult
    public func fork(
        _ name: String,
        from view: View,
        expires: Expiry? = nil,
        by author: Author = Author()
    ) throws(OxbowError) -> Branch {
        try core.checkOwn(view.point.store, "view", "fork \(name)")
        // Held until the record of the fork holds its pages.
        defer { withExtendedLifetime(view) {} }
        return Branch(try core.fork(name, .view(view), expires, author), self)
    }

    /// Where history is kept record by record, and where at all.
    package var keptHistory: (denseFrom: LSN, from: LSN) {
        let state = core.snapshot().state
        return (state.denseFrom, state.historyFrom)
    }

    /// Makes everything done so far durable.
    public func sync() throws(OxbowError) { try core.sync("sync") }

    /// Writes down the state of the store, so that opening it need not read what came before.
    public func checkpoint() throws(OxbowError) {
        try core.checkOpen("make a checkpoint")
        try attempt("make a checkpoint") { () throws(LogError) in try core.checkpoint() }
    }

    /// Takes the steps of upkeep that are due: what the store's own thread does, for a store opened
    /// with ``StoreOptions/Upkeep/manual``. Returns whether there was anything to do.
    @discardableResult
    public func step() throws(OxbowError) -> Bool {
        try core.checkOpen("take a step of upkeep")
        return try attempt("take a step of upkeep") { () throws(LogError) in try core.step() }
    }

    /// Gives back the disk's space that no branch, snapshot, view or kept history reaches.
    ///
    /// - Parameter progress: Is told how many segments were looked at, and how many there are. It
    ///   may use the store, but what waits for the pass is refused there: reclaiming, checking,
    ///   measuring and closing.
    @discardableResult
    public func reclaim(
        progress: (_ done: UInt64, _ all: UInt64) -> Void = { _, _ in }
    ) throws(OxbowError) -> ReclaimReport {
        try core.checkOpen("reclaim")
        try core.checkNoPass("reclaim")
        return try attempt("reclaim") { () throws(LogError) in
            let report = try core.reclaim(thorough: true, progress: progress)
            try core.log.dropSpare()
            return report
        }
    }

    /// Says how far back history is kept: for how long, and in how many bytes of log at most. What
    /// exceeds the bytes is thinned out to checkpoints first, and then dropped, oldest first.
    public func setWindow(
        _ duration: Duration,
        bytes: UInt64,
        by author: Author = Author()
    ) throws(OxbowError) {
        try core.setWindow(duration, bytes, of: nil, author)
    }

    /// Believes the clock after a jump that holds expiry and the windows back.
    public func confirmClock() {
        core.log.lock.withLock { core.retention.confirm(core.clock.now()) }
    }

    /// Ends the store in good order: all that was done is durable, and the next opening is quick.
    /// Nothing can be done through its handles afterwards, and the folder can be opened anew, also
    /// while they live.
    public func close() throws(OxbowError) {
        try core.checkNoPass("close the store")
        try attempt("close the store") { () throws(LogError) in try core.close() }
    }
}
