import DiskIO
import FuseMount
import Oxbow
import PostgresWire
import Primitives
import Volume

/// The branches of a store with the computes on them: what the front, the console and the commands
/// have in common.
final class ServedBranches: Sendable {
    let store: Store
    /// One of the two is there.
    let mount: Mount?
    let copies: CopiedFiles?
    let computes: Computes
    let roles: RoleBook
    let folder: ServerFolder
    let options: ServerOptions
    let log: ServerLog
    let prepared: PreparedForks
    /// What the salts of users are made of whom there are not.
    let secret: [UInt8]
    private let gates = BranchGates()
    private let usual: Guarded<String>
    let idles: Guarded<[String: ComputeIdle]>
    /// Ends the sessions of a branch by its key; there is somebody to ask once the front is there.
    private let sessionsEnder = Guarded<@Sendable (String) -> Void>({ _ in })
    /// Told when a branch that was held may show something else.
    private let changeTeller = Guarded<@Sendable () -> Void>({})
    /// How many who are not authenticated wait until it is known who may.
    let waiting = Guarded(0)

    /// How long who wants to enter a branch waits while it is reset, and who wants to reset it
    /// while another does.
    private static let patienceMilliseconds = 60_000

    init(
        _ store: Store,
        _ mount: Mount?,
        _ computes: Computes,
        _ folder: ServerFolder,
        _ options: ServerOptions
    ) throws {
        let log = try ServerLog(folder)
        self.log = log
        secret = Array(try folder.kept("secret") { ServerFolder.secret(letters: 32) }.utf8)
        self.store = store
        self.mount = mount
        copies =
            try mount == nil ? CopiedFiles(computes.options.treePath, user: computes.user) : nil
        self.computes = computes
        self.folder = folder
        self.options = options
        roles = RoleBook(
            role: computes.options.role,
            changed: { mount?.forget($0, of: $1) },
            log: { log.note($0) }
        )
        // Elsewhere a compute knows its branch by the name, which would change.
        let keepsForks = mount != nil && computes.user != nil
        prepared = PreparedForks(limit: keepsForks ? options.preparedForks : 0)
        idles = Guarded(Self.readIdles(folder))
        usual = Guarded(folder.read(Self.defaultFile) ?? "main")
    }

    // MARK: Which branch

    private static let defaultFile = "default-branch"

    var defaultBranch: String { usual.withLock { $0 } }

    func setDefaultBranch(_ name: String) throws(ServerError) {
        try usual.withLock { usual throws(ServerError) in
            try folder.write(name, to: Self.defaultFile)
            usual = name
        }
    }

    func find(_ name: String) throws -> Branch {
        do throws(OxbowError) {
            let branch = try store.branch(name)
            if try OwnBranch(branch.info())?.isHidden != true { return branch }
        } catch {
            guard error.kind == .notFound || error.kind == .invalid else { throw error }
        }
        throw Refusal.unknownBranch(name, among: try names())
    }

    /// The branches that people are shown.
    func all() throws(OxbowError) -> [BranchInfo] {
        try store.branches().filter { OwnBranch($0)?.isHidden != true }
    }

    func names() throws(OxbowError) -> [String] { try all().map(\.name) }

    /// Runs a body on a branch that nobody resets, deletes or renames meanwhile.
    func entering<Result>(
        _ name: String,
        _ body: (Branch, BranchInfo) throws -> Result
    ) throws -> Result {
        while true {
            let branch = try find(name)
            guard gates.enter(branch.id, atMostMilliseconds: Self.patienceMilliseconds) else {
                throw ServerError(.busy, "branch \(name) is being changed: try again")
            }
            defer { gates.leave(branch.id) }
            // It may have become another while that was waited for.
            guard try find(name).id == branch.id else { continue }
            return try body(branch, branch.info())
        }
    }

    // MARK: Around a change

    func endSessions(by end: @escaping @Sendable (String) -> Void) {
        sessionsEnder.withLock { $0 = end }
    }

    func whenReleased(_ tell: @escaping @Sendable () -> Void) {
        changeTeller.withLock { $0 = tell }
    }

    func endSessions(of branch: Branch) { sessionsEnder.withLock { $0 }(branch.computeKey) }

    /// Ends a branch's sessions and its compute, and lets none begin until what is returned is
    /// called: around a change of the branch's files or name.
    ///
    /// The compute is killed, unless it is to end in good order: a checkpoint would only be waited
    /// for, and its files are about to be left, or recover as after any crash.
    func hold(
        _ name: String,
        inGoodOrder: Bool = false,
        atMostMilliseconds patience: Int = ServedBranches.patienceMilliseconds
    ) throws -> @Sendable () -> Void {
        while true {
            let branch = try find(name)
            let release = try hold(branch, name, inGoodOrder, patience)
            // It may have been renamed or deleted while that was waited for.
            if (try? find(name).id) == branch.id { return release }
            release()
        }
    }

    private func hold(
        _ branch: Branch,
        _ name: String,
        _ inGoodOrder: Bool,
        _ patience: Int
    ) throws -> @Sendable () -> Void {
        if let socket = computes.socketPath(of: branch.computeKey) {
            roles.refresh(branch, socketPath: socket, noting: true)
        }
        let isHeld = gates.hold(
            branch.id,
            atMostMilliseconds: patience
        ) { [self] in
            endSessions(of: branch)
            computes.stop(branch.computeKey, atOnce: !inGoodOrder)
        }
        guard isHeld else {
            throw ServerError(.busy, "branch \(name) is being changed by somebody else: try again")
        }
        return { [self] in
            roles.forget(branch.id)
            mount?.refresh()
            gates.release(branch.id)
            changeTeller.withLock { $0 }()
        }
    }

    /// A fork of a branch as it is now: one that was prepared, where there is one.
    func fork(
        _ name: String,
        from parent: Branch,
        expires: Expiry?,
        by author: Author
    ) throws -> Branch {
        prepareFork(of: parent)
        let head = try parent.point(at: .head).lsn
        let now = SystemClock().monotonic()
        guard let fork = prepared.take(of: parent.id, at: head, now: now) else {
            return try roles.inheriting(from: parent) {
                try store.fork(name, from: parent, expires: expires, by: author)
            }
        }
        do {
            try fork.branch.handOver(as: name, expires: expires, to: author)
        } catch {
            if !prepared.keep(fork) { discard(fork.branch) }
            throw error
        }
        mount?.refresh()
        computes.touch(fork.branch.computeKey)
        return fork.branch
    }

    /// Sees that a fork of the branch as it is now has all that belongs to it. Cheap.
    func prepareFork(of branch: Branch) {
        if let socket = computes.socketPath(of: branch.computeKey) {
            roles.prepareFork(of: branch, socketPath: socket)
        }
        // Where nobody has the files open there is nothing to write.
        try? BranchFiles.open(branch, creating: false).writeTimes()
    }

    /// Stops a branch's compute until somebody connects.
    func suspend(_ name: String) throws { try hold(name, inGoodOrder: true)() }

    /// Deletes a branch of the server's own, with what runs on it.
    func discard(_ branch: Branch) {
        computes.discard(branch.computeKey)
        roles.forget(branch.id)
        try? Self.delete(branch)
        mount?.refresh()
    }

    /// Also where somebody protected it, who cannot have known that it goes.
    static func delete(_ branch: Branch) throws(OxbowError) {
        if try branch.info().isProtected { try branch.protect(false, by: Author("oxbow")) }
        try branch.delete(by: Author("oxbow"))
    }

    /// Deletes what a server left that did not end in good order.
    func reap() throws(OxbowError) {
        for info in try store.branches() where OwnBranch(info) != nil {
            try Self.delete(store.branch(info.id))
        }
    }
}

extension Branch {
    /// What tells its compute from all others.
    var computeKey: String { "\(id)" }
}
