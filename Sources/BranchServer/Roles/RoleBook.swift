package import DiskIO
package import Oxbow
package import PostgresWire
import Primitives
package import Volume

// Safe to share: what changes is guarded by the lock.
/// Who may log in on which branch, known before anything is started.
///
///     let book = RoleBook(role: "postgres", changed: { mount.forget($0, of: $1) }, log: { ... })
///     try book.learn(branch, from: computes, target)           // once, by the operator's side
///     let verifier = book.verifier(of: "app", on: branch, socketPath: nil)
///     // ... the client proves it, and a compute is started ...
///     guard book.confirm("app", verifier, on: branch, socketPath: lease.socketPath) else { ... }
///
/// A running compute is asked, by a session that is over with the answer: one that stayed would
/// keep its users from renaming or copying the database that it is in. It is asked again only once
/// the branch has changed: whoever is told that a role was changed, that is in PostgreSQL's log,
/// and so in the branch. And only where that log does not show that all databases' common
/// relations, of which the roles are one, are what they were. (With `synchronous_commit = off`,
/// which says so before, a change may go unseen until PostgreSQL writes it: some 0.6 s.) Of a
/// branch that nobody runs, the list is read that it keeps itself, and believed where the log shows
/// by the same that it still holds.
///
/// All may be called from any thread, and may wait: for a compute's answer some seconds at most.
package final class RoleBook: @unchecked Sendable {
    private let role: String
    private let clock: any Clock
    private let changed: @Sendable (InodeNumber, BranchFiles) -> Void
    private let log: @Sendable (String) -> Void
    private let lock = Lock()
    /// Guarded by `lock`.
    private var shelves: [BranchID: RoleShelf] = [:]
    private static let shelfCount = 1024

    /// - Parameters:
    ///   - role: Which one the server asks a compute as: a superuser.
    ///   - changed: Told of each file that was changed otherwise than through the mount.
    ///   - log: Takes a line; for strangers, too, so it must not wait.
    package init(
        role: String,
        clock: any Clock = SystemClock(),
        changed: @escaping @Sendable (InodeNumber, BranchFiles) -> Void = { _, _ in },
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.role = role
        self.clock = clock
        self.changed = changed
        self.log = log
    }

    private func shelf(_ branch: Branch) -> RoleShelf {
        lock.withLock {
            if let shelf = shelves[branch.id] { return shelf }
            // What is forgotten is only looked up again.
            if shelves.count >= Self.shelfCount { shelves = [:] }
            let shelf = RoleShelf(branch, role: role, clock: clock, changed: changed, log: log)
            shelves[branch.id] = shelf
            return shelf
        }
    }

    /// What somebody has to prove who wants to log in as `user`; nil for one who may not, whatever
    /// the reason, of which the log is told. Fails where all there is is a list that may be old.
    /// Starts nothing.
    ///
    /// - Parameters:
    ///   - socketPath: That of the branch's compute where it is ready, else nil.
    ///   - database: Which one they want. The compute is asked there where that is its only one.
    ///   - orKept: Whether the branch's own list will do where the compute does not answer: only
    ///     for who is let in by ``confirm(_:_:on:socketPath:database:)`` alone.
    package func verifier(
        of user: WireString,
        on branch: Branch,
        socketPath: String?,
        database: WireString? = nil,
        orKept: Bool = false
    ) throws(RoleError) -> SCRAMVerifier? {
        do throws(RoleError) {
            let shelf = shelf(branch)
            if let database { shelf.expect(database.validText) }
            let list = try shelf.list(socketPath, orKept: orKept)
            return try verifier(of: user, in: list)
        } catch {
            if error.isOld { throw error }
            log("role \(RoleText.shown(user.bytes)) is not let in on \(branch.id): \(error)")
            return nil
        }
    }

    private func verifier(
        of user: WireString,
        in list: RoleList
    ) throws(RoleError) -> SCRAMVerifier {
        do throws(RoleDenial) { return try list.verifier(of: user, at: clock.now()) } catch {
            throw RoleError(error.sentence)
        }
    }

    /// Whether a role is one that may do everything. Fails where that cannot be learned now.
    package func isSuperuser(
        _ user: WireString,
        on branch: Branch,
        socketPath: String?
    ) throws(RoleError) -> Bool {
        try shelf(branch).list(socketPath)[user]?.isSuperuser ?? false
    }

    /// What stands in for the verifier of who may not log in, which no password fits: with a salt
    /// that is the name's own, and as many rounds as most roles of the branch have.
    package func decoy(
        for user: WireString,
        on branch: Branch,
        secret: [UInt8]
    ) throws(WireError) -> SCRAMVerifier {
        let iterations = shelf(branch).usualIterations
        return try SCRAMVerifier.mock(user: user.bytes, secret: secret, iterations: iterations)
    }

    /// Whether what somebody proved is what the compute has, now that it runs, or where none does
    /// what still holds. To be asked of each who was authenticated, once the compute is ready; who
    /// is refused (28P01) where this is false. Costs nothing where the compute was asked before; an
    /// error says that it could not be asked.
    ///
    /// It is asked in the database that the client wants, where there is such: the first session in
    /// one after a start has to read its catalog anew, which the client then need not.
    package func confirm(
        _ user: WireString,
        _ proved: SCRAMVerifier,
        on branch: Branch,
        socketPath: String?,
        database: WireString? = nil
    ) throws(RoleError) -> Bool {
        let shelf = shelf(branch)
        // It has said as much already, and nobody was measured by anything else since.
        if let list = socketPath.flatMap({ shelf.told(by: $0) }),
            (try? verifier(of: user, in: list)) == proved
        {
            return true
        }
        func note(_ error: RoleError) {
            log("role \(RoleText.shown(user.bytes)) is not let in on \(branch.id): \(error)")
        }
        let list: RoleList
        do throws(RoleError) {
            if let socketPath {
                list = try shelf.asked(socketPath, in: database?.validText).list
            } else {
                list = try shelf.list(nil)
            }
        } catch {
            note(error)
            throw error
        }
        do throws(RoleError) {
            if try verifier(of: user, in: list) == proved { return true }
            throw RoleError("the role has another password by now")
        } catch {
            note(error)
            return false
        }
    }

    /// Asks a compute, and writes down in the branch what is new: before the branch is forked,
    /// after a start, after a session, and before a stop. Costs nothing where the branch has not
    /// changed. Returns whether the branch's list is up to date; if not, the log is told why.
    ///
    /// - Parameter noting: Whether also that is written down by which it is known later that the
    ///   list still holds, where there was much since.
    @discardableResult
    package func refresh(_ branch: Branch, socketPath: String, noting: Bool = false) -> Bool {
        let shelf = shelf(branch)
        do throws(RoleError) {
            let isKept = try shelf.asked(socketPath).isKept
            if noting { shelf.note() }
            return isKept
        } catch {
            if !error.isRepeated { log("the roles of \(branch.id) are not known anew: \(error)") }
            return false
        }
    }

    /// Gets ready for a fork of a branch whose compute runs: it is asked, and what it says is
    /// waited for to be in the log.
    package func prepareFork(of branch: Branch, socketPath: String) {
        refresh(branch, socketPath: socketPath)
        shelf(branch).awaitLog(atMostMilliseconds: RoleLimits.logMilliseconds)
    }

    /// Whether the branch has a list, old or not.
    package func hasList(_ branch: Branch) -> Bool {
        ((try? RoleFile.read(branch.view())) ?? nil) != nil
    }

    /// Whether its compute has to be asked before it can be told who may log in.
    package func isOld(_ branch: Branch) -> Bool {
        do throws(RoleError) { _ = try shelf(branch).list(nil) } catch { return error.isOld }
        return false
    }

    /// Whether the list that a branch had at a record had nobody who may log in.
    package func hasNobody(in view: View) -> Bool {
        guard let testimony = ((try? RoleFile.read(view)) ?? nil)?.testimony,
            let log = (try? WALFiles(view)) ?? nil,
            let list = ((try? testimony.renewed(by: log)) ?? nil)?.list
        else { return false }
        return !list.roles.contains { (try? list.verifier(of: $0.name, at: clock.now())) != nil }
    }

    /// Whether the branch's list has a role that may log in with a password; nil where there is no
    /// list.
    package func hasPasswords(_ branch: Branch) -> Bool? {
        guard let list = try? shelf(branch).list(nil) else { return nil }
        return list.roles.contains { (try? list.verifier(of: $0.name, at: clock.now())) != nil }
    }

    /// Starts the branch's compute to learn its roles: of a branch that came from elsewhere. Never
    /// to be called for a stranger.
    package func learn(
        _ branch: Branch,
        from computes: Computes,
        _ target: ComputeTarget
    ) throws(RoleError) {
        let lease: ComputeLease
        do throws(ComputeError) { lease = try computes.acquire(target) } catch {
            throw RoleError("the compute of \(branch.id) does not start: \(error)")
        }
        defer { withExtendedLifetime(lease) {} }
        let shelf = shelf(branch)
        // A machine that is busy may answer late; an operator has time.
        for _ in 1..<RoleLimits.learnAttempts {
            shelf.hurry()
            if (try? shelf.asked(lease.socketPath).isKept) == true { return shelf.note() }
        }
        shelf.hurry()
        guard try shelf.asked(lease.socketPath).isKept else {
            throw RoleError("the list of roles of \(branch.id) could not be written")
        }
        shelf.note()
    }

    /// Makes a fork that goes by what its parent's compute said before, for as long as the log of
    /// the fork shows no change.
    package func inheriting<Failure: Error>(
        from parent: Branch,
        _ fork: () throws(Failure) -> Branch
    ) throws(Failure) -> Branch {
        // What is said from here on may be of a change that the fork has not got.
        let testimony = shelf(parent).lastTestimony
        let made = try fork()
        if let testimony { shelf(made).take(testimony) }
        return made
    }

    /// Forgets what is kept of a branch in memory: where it is gone, or was set back.
    package func forget(_ branch: BranchID) { lock.withLock { shelves[branch] = nil } }
}
