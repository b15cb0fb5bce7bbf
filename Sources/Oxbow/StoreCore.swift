import DiskIO
import PageStorage
import Synchronization
import Timelines
import WriteAheadLog

/// What a store's handles share.
///
/// Lock order: a branch's commit lock, `passLock`, `checkpointLock`, then the log's locks
/// (`spareLock`, `flushLock`, `lock`). The catalog is guarded by `log.lock`: see
/// ``critical(urgency:growing:_:)``.
// Safe to share: fields that change are guarded by the lock named beside them.
final class StoreCore: @unchecked Sendable {
    let disk: any Disk
    let clock: any Clock
    let options: StoreOptions
    let geometry: Geometry
    let log: Log
    let nodes: NodeSource
    /// Those in memory alone.
    private let cachedNodes: NodeSource
    let pages: PageReader
    let indexes: SegmentIndexes
    let commitLocks = CommitLocks()

    /// Guarded by `log.lock`.
    var catalog: Catalog
    /// Guarded by `log.lock`: held views, whose pages reclaim must not free.
    var views: [UInt64: PageMap] = [:]
    var nextView: UInt64 = 0
    /// Guarded by `log.lock`: where the past is being read, or something written that no record
    /// points at yet. The cutoffs stay below.
    var pins: [UInt64: LSN] = [:]
    /// Guarded by `log.lock`.
    var retention: RetentionClock
    /// Guarded by `log.lock`: how much was appended when the last checkpoint began.
    var appendedAtCheckpoint: UInt64 = 0
    /// Taken before `checkpointLock`.
    let passLock = PassLock()
    /// Guarded by `log.lock`: the active segment when the last pass of reclaim ended.
    var reclaimedAt: SegmentNumber?
    /// Guarded by `log.lock`: when upkeep flushed last, by the monotonic clock.
    var flushedAt: UInt64 = 0
    /// Guarded by `log.lock`: segments of earlier processes that may lack their closing index.
    var unindexed: [(number: SegmentNumber, end: LSN)] = []
    /// Guarded by `log.lock`: how much must have been appended until what grows is looked at again.
    private var nextLook: UInt64 = 0
    /// Guarded by `log.lock`: an append found the disk full.
    var roomIsWanted = false
    /// Guarded by `log.lock`: by the monotonic clock, when upkeep may look for room again after a
    /// pass that found none.
    var nextSearch: UInt64 = 0
    /// Guarded by `log.lock`: the last record that did something, which checkpoints and the
    /// cutoffs' moves do not. So passes of reclaim come to an end where nobody does anything.
    var lastChange = LSN.zero
    /// Nothing is done any more.
    let isClosed = Atomic(false)

    /// One checkpoint, or reclaim step, at a time.
    let checkpointLock = Lock()
    /// Guarded by `checkpointLock`.
    var superblock: Superblock
    let superblockFile: any File
    /// What was wrong with the superblock when the store was opened, and no crash leaves. Set
    /// before anybody else has this.
    var faultsFound: [Malformed] = []
    /// Guarded by `checkpointLock`: where the checkpoint before the last began.
    var olderCut: LSN

    /// Wakes the maintenance thread, and who waits for a checkpoint.
    let upkeepLock = Lock()
    /// Guarded by `upkeepLock`.
    var upkeepIsWanted = false
    var upkeepEnds = false
    var upkeepIsRunning = false

    init(
        disk: any Disk,
        clock: any Clock,
        options: StoreOptions,
        log: Log,
        nodes: NodeSource,
        catalog: Catalog,
        recorded: RecordedClock,
        superblock: Superblock,
        superblockFile: any File
    ) {
        self.disk = disk
        self.clock = clock
        self.options = options
        geometry = superblock.geometry
        self.log = log
        self.nodes = nodes
        cachedNodes = nodes.cacheOnly
        let cache = PageCache(
            byteLimit: options.cacheBytes / 2,
            pageSize: superblock.geometry.pageSize
        )
        pages = PageReader(cache: cache, nodes: nodes, pageSize: superblock.geometry.pageSize)
        indexes = SegmentIndexes(log: log, byteLimit: options.cacheBytes / 4)
        self.catalog = catalog
        self.superblock = superblock
        self.superblockFile = superblockFile
        olderCut = superblock.cut
        retention = RetentionClock(
            after: recorded,
            calendar: clock.now(),
            monotonic: clock.monotonic()
        )
    }

    /// Runs a step of the store: appending to the log and changing the catalog at one moment.
    ///
    /// The body does no I/O. Where it needs a node that is not in memory, or a segment that is not
    /// made, it has changed nothing yet, and is run again when that is there.
    ///
    /// - Parameters:
    ///   - urgency: How much of the space that is kept for making room it may use.
    ///   - growing: For how many changes it takes memory, if it does: then it waits where that is
    ///     at its bounds, and gives upkeep work.
    func critical<Result>(
        urgency: Urgency = .ordinary,
        growing: Int? = nil,
        _ body: (inout Catalog, NodeSource) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        var cached = cachedNodes
        var mayWait = growing != nil
        var pin: UInt64?
        defer { if let pin { unpin(pin) } }
        while true {
            log.lock.lock()
            let isFarther = growing != nil && log.appendedBytes >= nextLook
            if isFarther, mayWait, let growing, let pressure = pressure(adding: growing),
                urgency != .makingRoom || pressure != .room
            {
                log.lock.unlock()
                mayWait = false
                do throws(LogError) { try relieve(pressure, adding: growing, urgency) } catch {
                    if case .full = error { noteFull() }
                    throw error
                }
                continue
            }
            do throws(LogError) {
                let result = try body(&catalog, cached)
                catalog.noteSegments(of: log)
                let wantsUpkeep = isFarther && upkeepIsDue
                if isFarther {
                    nextLook = log.appendedBytes + (roomIsTight ? 0 : Self.lookStride)
                }
                log.lock.unlock()
                if wantsUpkeep { wakeUpkeep() }
                return result
            } catch {
                // What is loaded is of this moment.
                if case .needsNode = error, pin == nil { pin = pinHeld(.max, catalog.base) }
                log.lock.unlock()
                switch error {
                case .needsNode(let location):
                    cached = cached.holding(try nodes.loadAny(location), at: location)
                case .needsSegment: try makeSegment(urgency)
                case .full:
                    noteFull()
                    throw error
                default: throw error
                }
            }
        }
    }

    /// Small beside all that has a bound in memory.
    private static let lookStride: UInt64 = 16 << 10

    private func makeSegment(_ urgency: Urgency) throws(LogError) {
        do throws(LogError) { try log.ensureSpare(urgency) } catch {
            if case .full = error { noteFull() }
            throw error
        }
    }

    private func noteFull() { log.lock.withLock { roomIsWanted = true } }

    /// Throws where the store was closed: what is still in memory must not pass for the store.
    func checkOpen(_ action: @autoclosure () -> String) throws(OxbowError) {
        if isClosed.load(ordering: .acquiring) { throw OxbowError(LogError.closed, action()) }
    }

    /// Throws in a pass where the store is being closed, which waits for its end.
    func checkGoing() throws(LogError) {
        if isClosed.load(ordering: .acquiring) { throw .closed }
    }

    /// Throws where a pass of this thread is under way, which calls back: to wait for its end here
    /// would be for ever.
    func checkNoPass(_ action: @autoclosure () -> String) throws(OxbowError) {
        guard passLock.isMine else { return }
        throw OxbowError(
            .invalid,
            "\(action()): not from what is told of the progress of a check or of reclaim, which "
                + "would be waited for"
        )
    }

    /// A copy of the catalog: the store as it is at this moment. For who holds a pin, or keeps
    /// reclaim from running: others ``look(_:)``.
    func snapshot() -> Catalog { log.lock.withLock { catalog } }

    func history(_ catalog: Catalog) -> History {
        History(catalog: catalog, nodes: nodes, indexes: indexes)
    }
}

extension Catalog {
    /// Registers the segment that the log went on in. Call in the critical section.
    mutating func noteSegments(of log: Log) {
        guard log.activeNumber != activeSegment, let active = log.active else { return }
        began(active.header)
    }
}

/// Makes commits on one branch come one after the other, and refuses a commit inside another on
/// the same branch, which would wait for itself.
// Safe to share: all state is guarded by `lock`.
final class CommitLocks: @unchecked Sendable {
    private let lock = Lock()
    private var holders: [BranchID: ThreadID] = [:]
    private var waiting = 0

    /// Whether nobody holds it. Only says something in the critical section, where who takes it
    /// from then on finds what was done there.
    func isFree(_ branch: BranchID) -> Bool { lock.withLock { holders[branch] == nil } }

    /// False where this thread holds it already.
    func take(_ branch: BranchID) -> Bool {
        let me = ThreadID.current
        lock.lock()
        defer { lock.unlock() }
        while let holder = holders[branch] {
            if holder == me { return false }
            waiting += 1
            lock.wait()
            waiting -= 1
        }
        holders[branch] = me
        return true
    }

    func give(_ branch: BranchID) {
        lock.lock()
        defer { lock.unlock() }
        holders[branch] = nil
        if waiting > 0 { lock.wakeAll() }
    }
}
