import Oxbow
import PostgresWire
import Primitives

/// What the front is told of a store's branches and computes.
struct StoreDirectory: BranchDirectory {
    let branches: ServedBranches

    func verifier(for request: ConnectionRequest) throws(Refusal) -> SCRAMVerifier? {
        try Refusal.telling {
            let branch = try known(request.target.branch ?? branches.defaultBranch)
            let roles = branches.roles
            let found: SCRAMVerifier?
            do throws(RoleError) {
                found = try branches.whenKnown(forStranger: true) { () throws(RoleError) in
                    try roles.verifier(
                        of: request.user,
                        on: branch,
                        socketPath: branches.computes.socketPath(of: branch.computeKey),
                        database: request.isForConsole ? nil : request.target.database,
                        // The console asks for no confirmation.
                        orKept: !request.isForConsole
                    )
                }
            } catch { throw Refusal.rolesAreNotKnown(error) }
            // For who may not log in everything is as for who may, but that no password fits.
            return try found ?? roles.decoy(for: request.user, on: branch, secret: branches.secret)
        }
    }

    /// A stranger learns nothing of names: where there is no such branch, it is as with the default
    /// one.
    private func known(_ name: String) throws -> Branch {
        if let branch = try? branches.store.branch(name) { return branch }
        return try branches.find(branches.defaultBranch)
    }

    func open(_ request: ConnectionRequest) throws(Refusal) -> Endpoint {
        let branch = request.target.branch ?? branches.defaultBranch
        do { return try branches.open(request) } catch {
            if let error = error as? ComputeError, error.kind == .failed {
                throw .failedCompute(
                    of: branch,
                    lastLines: error.message.split(separator: "\n").map(String.init)
                )
            }
            let refusal = Refusal(wrapping: error)
            guard refusal.state == "3D000", request.target.branch != nil else { throw refusal }
            let hint = refusal.hint.map { $0 + " " } ?? ""
            throw Refusal(
                refusal.state,
                refusal.message,
                detail: refusal.detail,
                hint: hint + "An @ in the name of a database itself is written @@."
            )
        }
    }

    func authorize(_ statement: AdminStatement, for user: WireString) throws(Refusal) {
        guard statement.changesSomething else { return }
        let mayChange = try Refusal.telling {
            let branch = try branches.find(branches.defaultBranch)
            do throws(RoleError) {
                return try branches.whenKnown { () throws(RoleError) in
                    try branches.roles.isSuperuser(
                        user,
                        on: branch,
                        socketPath: branches.computes.socketPath(of: branch.computeKey)
                    )
                }
            } catch {
                throw Refusal(
                    "57P03",
                    "who may change branches is not known just now",
                    detail: "\(error)",
                    hint: "Try again."
                )
            }
        }
        guard mayChange else {
            throw Refusal(
                "42501",
                "permission denied to change branches",
                hint: "A superuser of the default branch may."
            )
        }
    }

    func answer(_ statement: AdminStatement, for user: WireString) throws(Refusal) -> AdminResult {
        switch statement {
        case .show(.computes): return try computes()
        case .suspend(let name):
            try Refusal.telling { try branches.suspend(name) }
            return AdminResult()
        default: break
        }
        guard let result = try AdminStore(branches).answer(statement, for: user) else {
            throw Refusal("XX000", "the console does not know how to answer that")
        }
        return result
    }

    private func computes() throws(Refusal) -> AdminResult {
        let names = try Refusal.telling {
            try Dictionary(
                branches.store.branches().map { ("\($0.id)", $0.name) },
                uniquingKeysWith: { first, _ in first }
            )
        }
        return AdminResult(
            rows: branches.computes.statuses.map { status in
                let parts = status.key.split(separator: "@", maxSplits: 1).map(String.init)
                let start = status.lastStart
                let microseconds =
                    start.filesMicroseconds + start.preflightMicroseconds + start.spawnMicroseconds
                    + start.postgresMicroseconds
                return [
                    names[parts[0]] ?? parts[0], parts.count > 1 ? parts[1] : nil,
                    status.state.rawValue, status.process.map { "\($0)" }, "\(status.sessions)",
                    "\(status.starts)", microseconds > 0 ? "\(microseconds / 1000)" : nil,
                ]
            }
        )
    }
}

extension AdminStore {
    /// The console over branches with computes.
    init(_ branches: ServedBranches) {
        self.init(
            branches.store,
            Surroundings(
                defaultBranch: { branches.defaultBranch },
                setDefaultBranch: { name throws(Refusal) in
                    try Refusal.telling { try branches.setDefaultBranch(name) }
                },
                hold: { name throws(Refusal) in try Refusal.telling { try branches.hold(name) } },
                fork: { try branches.fork($1, from: $2, expires: $3, by: $4) },
                madeOfPast: { branches.learnRolesIfOld(of: $0) },
                checkReset: { try branches.checkReset(of: $0, to: $1) },
                point: { moment, branch throws(Refusal) in
                    try Refusal.telling { try branches.point(moment, on: branch) }
                },
                setIdle: { branch, idle throws(Refusal) in
                    try Refusal.telling { try branches.setIdle(of: branch, idle) }
                }
            )
        )
    }
}
