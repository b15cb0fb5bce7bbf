#if Server
package import BranchServer
#endif
package import Oxbow
import Primitives
package import Volume

/// The server that does a command on the store that it has open.
package struct StoreHost: Sendable {
    package let store: Store
    /// Ends a branch's sessions and its compute, and lets none begin until what it returns is
    /// called.
    package let hold: @Sendable (String) throws -> @Sendable () -> Void
    /// Sees that a fork of a branch as it is now has all that belongs to it.
    package let prepareFork: @Sendable (Branch) -> Void
    /// Forks a branch as it is now.
    package let fork: @Sendable (String, Branch, Expiry?, Author) throws -> Branch
    /// Called with a fork of a moment of another branch.
    package let madeOfPast: @Sendable (Branch) -> Void
    /// Refuses to set a branch back to where it must not be.
    package let checkReset: @Sendable (Branch, Point) throws -> Void
    /// Whether a compute runs on a branch's own files.
    package let isComputing: @Sendable (BranchID) -> Bool
    /// Tells the mount of what was changed otherwise than through it: a folder, and the name in it
    /// that leads elsewhere now.
    package let forget: @Sendable (BranchFiles, InodeNumber, FileName) -> Void
    #if Server
    /// Nil where a store alone is served.
    package var server: Server?
    #endif
    private let changes = BranchChangeLocks()

    package init(
        store: Store,
        hold: @escaping @Sendable (String) throws -> @Sendable () -> Void = { _ in {} },
        prepareFork: @escaping @Sendable (Branch) -> Void = { _ in },
        fork: (@Sendable (String, Branch, Expiry?, Author) throws -> Branch)? = nil,
        madeOfPast: @escaping @Sendable (Branch) -> Void = { _ in },
        checkReset: @escaping @Sendable (Branch, Point) throws -> Void = { _, _ in },
        isComputing: @escaping @Sendable (BranchID) -> Bool = { _ in false },
        forget: @escaping @Sendable (BranchFiles, InodeNumber, FileName) -> Void = { _, _, _ in }
    ) {
        self.store = store
        self.hold = hold
        self.prepareFork = prepareFork
        self.fork = fork ?? { try store.fork($0, from: $1, expires: $2, by: $3) }
        self.madeOfPast = madeOfPast
        self.checkReset = checkReset
        self.isComputing = isComputing
        self.forget = forget
    }

    /// Runs a body that changes a branch's files, alone among commands: what one has half made
    /// stands under a name that another would take for a leftover.
    func changing(
        _ branch: BranchID,
        _ output: Output,
        _ body: () throws -> Void
    ) throws {
        while !changes.take(branch) { try output.expectReader() }
        defer { changes.give(branch) }
        try body()
    }
}

// Safe to share: what changes is guarded by the lock.
/// Which branches' files a command changes now.
private final class BranchChangeLocks: @unchecked Sendable {
    private let lock = Lock()
    private var taken: Set<BranchID> = []

    /// Waits a little; false where another still has it.
    func take(_ branch: BranchID) -> Bool {
        lock.withLock {
            if taken.contains(branch) { lock.wait(atMostMilliseconds: 100) }
            return taken.insert(branch).inserted
        }
    }

    func give(_ branch: BranchID) {
        lock.withLock {
            taken.remove(branch)
            lock.wakeAll()
        }
    }
}

extension Invocation {
    /// Runs a change after which a branch shows other files, or none: nobody is in a session on it
    /// meanwhile.
    func whileHeld(_ branch: Branch, _ change: () throws -> Void) throws {
        guard let host = environment.host else { return try change() }
        let name = try branch.info().name
        let release = try host.hold(name)
        defer { release() }
        // The name may have become another's while that was waited for.
        guard (try? host.store.branch(name).id) == branch.id else {
            throw Failure("conflict", "branch \(name) was renamed or deleted by somebody meanwhile")
        }
        try change()
    }
}
