import DiskIO
import Primitives
import Timelines
import WriteAheadLog

extension StoreCore {
    /// Whether a checkpoint is due.
    var checkpointIsDue: Bool {
        log.lock.withLock {
            let bytes = log.end.rawValue &- superblockCut.rawValue
            return catalog.pendingChanges >= options.checkpointChanges
                || bytes >= options.checkpointBytes
        }
    }

    /// Call with `log.lock` held: where the last checkpoint began. Read without its lock: it only
    /// grows, and a stale answer makes a checkpoint come one step later.
    private var superblockCut: LSN { lastCut }

    func upkeepAfterCommit() {}
    func startUpkeep() {}
    func shutDown() {}
    func close() throws(LogError) {}
    var lastCut: LSN { .zero }
}
