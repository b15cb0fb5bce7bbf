import DiskIO
import FuseMount
import Glibc
public import Oxbow
import PostgresWire
import Primitives
import Volume

/// A branch server: one port at which any PostgreSQL client reaches any branch, now or at
/// any moment that is kept.
///
///     let server = try Server(ServerOptions(dataPath: "/var/lib/app"))
///     try await server.withBranch { url in
///         // ... a fork of the default branch, gone afterwards
///     }
///     server.end()
public final class Server: Sendable {
    /// How it is run.
    public let options: ServerOptions
    /// The store that it serves.
    public let store: Store
    /// The port that it listens on.
    public let port: UInt16
    /// The password of the role that this server's first cluster was made with; nil where that is
    /// not known here.
    public let password: String?
    /// The role of ``password``.
    public var role: String { branches.computes.options.role }
    package let folder: ServerFolder
    let branches: ServedBranches
    let front: Front
    private let mount: Mount?
    let keeper: ServerKeeper
    private let preparer: ForkPreparer
    private let isEnded = Guarded(false)

    /// Opens or makes the store, mounts it or gets ready to copy, makes a cluster in `main` where
    /// there is none, and listens.
    public init(_ options: ServerOptions) throws(ServerError) {
        self.options = options
        let start = try ServerError.telling { try ServerStart(options) }
        store = start.store
        mount = start.mount
        folder = start.folder
        branches = start.branches
        front = start.front
        port = start.port
        password = start.folder.read(ServerStart.passwordName)
        keeper = ServerKeeper(branches, front, start.folder)
        preparer = ForkPreparer(branches)
        let front = front
        branches.endSessions { front.endSessions(ofKey: $0) }
        do throws(ServerError) {
            try folder.write(
                "host \(options.host)\nport \(port)\npid \(getpid())\nrun \(folder.run)",
                to: "address"
            )
        } catch {
            end(graceSeconds: 0)
            throw error
        }
    }

    /// Ends: takes no more connections, lets what is under way finish for so long, stops the
    /// computes in good order, and closes the store. What was acknowledged is durable.
    public func end(graceSeconds: Int = 10) {
        let isFirst = isEnded.withLock { isEnded in
            defer { isEnded = true }
            return !isEnded
        }
        guard isFirst else { return }
        folder.remove("address")
        keeper.end()
        preparer.end()
        // The front tells all of them.
        branches.endSessions { _ in }
        front.stop(graceMilliseconds: graceSeconds * 1000)
        // Nobody is left to change roles.
        branches.refreshRoles((try? branches.all()) ?? [])
        branches.computes.end()
        mount?.end()
        // Nobody is left to be told.
        try? branches.reap()
        try? store.close()
        folder.removeRun()
    }

    // MARK: Where it is

    /// The branch of connections that name none.
    public var defaultBranch: String { branches.defaultBranch }

    /// Whether somebody can log in on a branch with a password, as far as is known.
    package func canBeEntered(_ name: String) -> Bool {
        (try? branches.find(name)).flatMap { branches.roles.hasPasswords($0) } ?? true
    }

    /// Makes another branch that of connections that name none.
    public func setDefaultBranch(_ name: String) throws(ServerError) {
        try ServerError.telling {
            try branches.find(name).info().checkMayBeDefault()
            try branches.setDefaultBranch(name)
        }
    }

    /// A URL that a PostgreSQL client takes, with the password where it is known.
    public func url(
        database: String = "postgres",
        branch: String? = nil,
        moment: String? = nil
    ) -> String {
        var name = database.replacing(marks: ["@": "@@"])
        if let branch = branch ?? moment.map({ _ in defaultBranch }) { name += "@" + branch }
        if let moment { name += "@" + moment }
        let secret = password.map { ":" + Self.escaped($0) } ?? ""
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        // SQLAlchemy and node-postgres take what stands there as it is, and RFC 3986 has these in a
        // path.
        let path = Self.escaped(name, but: "@:+")
        return "postgresql://\(role)\(secret)@\(host):\(port)/\(path)"
    }

    /// With `%` and two digits for what a part of a URL must not have.
    static func escaped(_ text: String, but allowed: String = "") -> String {
        text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
                || [0x2d, 0x2e, 0x5f, 0x7e].contains(byte) || allowed.utf8.contains(byte)
            if isPlain { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.utf8.count < 2 ? "0" : "") + digits
        }.joined()
    }

    // MARK: Branches

    /// Ends a branch's sessions and its compute, and lets none begin until what is returned is
    /// called: around what changes the branch's files or its name otherwise than a client does.
    public func hold(_ branch: String) throws(ServerError) -> @Sendable () -> Void {
        try ServerError.telling { try branches.hold(branch) }
    }

    /// Sees that a fork of the branch as it is now has all that belongs to it. Cheap.
    public func prepareFork(of branch: Branch) { branches.prepareFork(of: branch) }

    /// A fork of a branch as it is now: one on which a compute runs already, where there is one.
    public func fork(
        _ name: String,
        from parent: Branch,
        expires: Expiry? = nil,
        by author: Author = Author()
    ) throws(ServerError) -> Branch {
        try ServerError.telling {
            try branches.fork(name, from: parent, expires: expires, by: author)
        }
    }

    /// Stops a branch's compute until somebody connects.
    public func suspend(_ branch: String) throws(ServerError) {
        try ServerError.telling { try branches.suspend(branch) }
    }

    /// What the compute of a branch said lately: at most 2 MiB.
    public func logs(of branch: String) throws(ServerError) -> String {
        try ServerError.telling {
            let branch = try branches.find(branch)
            return try branches.computes.logs(of: branch.computeKey)
        }
    }

    /// After an import: learns who may log in on a branch, which starts its compute.
    public func learnRoles(of branch: String) throws(ServerError) {
        try ServerError.telling { try branches.learnRoles(of: branch) }
    }

    /// After a fork of a moment: learns who may log in on it where the moment's list may be old.
    package func learnRolesIfOld(of fork: Branch) { branches.learnRolesIfOld(of: fork) }

    /// Refuses to set the default branch back to where nobody could log in.
    package func checkReset(of branch: Branch, to point: Point) throws(ServerError) {
        try ServerError.telling { try branches.checkReset(of: branch, to: point) }
    }

    /// A branch for the time of a body: forked, its URL handed over, deleted afterwards.
    ///
    ///     try await server.withBranch { url in
    ///         try await runTests(against: url)
    ///     }
    ///
    /// - Parameters:
    ///   - parent: What is forked; the default branch where nil.
    ///   - moment: When, as in the name of a database: `10m`, a time, an LSN, a snapshot's name.
    ///   - database: The database of the URL.
    public func withBranch<Result>(
        of parent: String? = nil,
        at moment: String? = nil,
        database: String = "postgres",
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let fork = try branches.makeFork(of: parent ?? defaultBranch, at: moment)
        defer { branches.discard(fork) }
        return try await body(url(database: database, branch: fork.info().name))
    }
}
