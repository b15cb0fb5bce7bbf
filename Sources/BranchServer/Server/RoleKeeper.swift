import DiskIO
import Oxbow
import Primitives

/// Makes it known again who may log in on branches whose list may be old: asks their computes.
///
/// A list gets old when a compute is killed or the server is, when a branch is set back to just
/// after a change, or is forked then without a server. Whatever it was, the branch has other
/// records than it had when it was looked at, and no compute runs on it. That is all that is looked
/// for, so nobody who is not authenticated has a part in it.
// Safe to share: what changes is guarded by the lock.
final class RoleKeeper: @unchecked Sendable {
    private let branches: ServedBranches
    private let clock = SystemClock()
    private let pool = WorkerPool(threads: 4, queue: 4096)
    private let lock = Lock()
    private var isEnded = false
    /// The record at which each branch's list was found to hold.
    private var seen: [BranchID: LSN] = [:]
    private var underWay: Set<BranchID> = []
    /// Branches whose computes could not be asked, and when that is tried again.
    private var failed: [BranchID: (until: UInt64, seconds: UInt64)] = [:]

    private static let pauseSeconds: ClosedRange<UInt64> = 1...64

    init(_ branches: ServedBranches) { self.branches = branches }

    func end() {
        lock.withLock { isEnded = true }
        pool.stop()
    }

    /// Sees to all branches that need it, the default branch first, then the newest.
    func look(_ all: [BranchInfo]) {
        let usual = branches.defaultBranch
        let living = Set(all.map(\.id))
        let now = clock.monotonic()
        let due = lock.withLock { () -> [BranchInfo] in
            if seen.count > living.count { seen = seen.filter { living.contains($0.key) } }
            failed = failed.filter { living.contains($0.key) }
            return all.filter { info in
                OwnBranch(info) == nil && seen[info.id] != info.head.lsn
                    && !underWay.contains(info.id) && (failed[info.id]?.until ?? 0) <= now
            }
        }
        let newest = due.sorted { $0.id > $1.id }
        let sorted = newest.filter { $0.name == usual } + newest.filter { $0.name != usual }
        for info in sorted where branches.computes.socketPath(of: "\(info.id)") == nil {
            lock.withLock { _ = underWay.insert(info.id) }
            if !pool.run({ [self] in look(at: info) }) {
                lock.withLock { _ = underWay.remove(info.id) }
            }
        }
    }

    private func look(at info: BranchInfo) {
        defer { lock.withLock { _ = underWay.remove(info.id) } }
        guard !(lock.withLock { isEnded }), let branch = try? branches.store.branch(info.id)
        else { return }
        guard branches.roles.isOld(branch) else {
            return lock.withLock {
                seen[info.id] = info.head.lsn
                failed[info.id] = nil
            }
        }
        do {
            try branches.learnRoles(of: info.name)
            let isRunning = branches.computes.socketPath(of: branch.computeKey) != nil
            if !isRunning, branches.roles.isOld(branch) {
                throw RoleError("its PostgreSQL was asked, and its log does not go with the answer")
            }
            lock.withLock { failed[info.id] = nil }
        } catch {
            branches.log.note("who may log in on \(info.name) is not known anew: \(error)")
            let now = clock.monotonic()
            lock.withLock {
                let pause = Self.pauseSeconds
                let seconds = min(2 * (failed[info.id]?.seconds ?? 0), pause.upperBound)
                let next = max(seconds, pause.lowerBound)
                failed[info.id] = (now + next * 1_000_000_000, next)
            }
        }
    }
}
