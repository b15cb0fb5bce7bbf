package import Oxbow
package import PostgresWire
import Primitives

/// What the console does with a store: all that needs no compute.
package struct AdminStore: Sendable {
    /// What the store does not know, and what must happen around a change.
    package struct Surroundings: Sendable {
        package var defaultBranch: @Sendable () -> String
        package var setDefaultBranch: @Sendable (String) throws(Refusal) -> Void
        /// Called with a branch whose files are about to become others, or none: ends its sessions
        /// and its compute, and lets none begin until what it returned is called.
        package var hold: @Sendable (String) throws(Refusal) -> @Sendable () -> Void
        /// Forks a branch as it is now.
        package var fork: @Sendable (Store, String, Branch, Expiry?, Author) throws -> Branch
        /// Called with a fork of a moment of another branch.
        package var madeOfPast: @Sendable (Branch) -> Void
        /// Refuses to set a branch back to where it must not be.
        package var checkReset: @Sendable (Branch, Point) throws -> Void
        /// The record that a moment snaps to.
        package var point: @Sendable (RequestedMoment, Branch) throws(Refusal) -> Point
        /// Notes when a branch's compute is stopped that nobody uses.
        package var setIdle: @Sendable (Branch, ComputeIdle?) throws(Refusal) -> Void
        /// When a branch goes for which nothing was said.
        package var usualExpiry: Expiry?

        package init(
            defaultBranch: @escaping @Sendable () -> String,
            setDefaultBranch: @escaping @Sendable (String) throws(Refusal) -> Void,
            hold: @escaping @Sendable (String) throws(Refusal) -> @Sendable () -> Void,
            fork: @escaping @Sendable (Store, String, Branch, Expiry?, Author) throws -> Branch = {
                try $0.fork($1, from: $2, expires: $3, by: $4)
            },
            madeOfPast: @escaping @Sendable (Branch) -> Void = { _ in },
            checkReset: @escaping @Sendable (Branch, Point) throws -> Void = { _, _ in },
            point: @escaping @Sendable (RequestedMoment, Branch) throws(Refusal) -> Point =
                AdminStore.point,
            setIdle: @escaping @Sendable (Branch, ComputeIdle?) throws(Refusal) -> Void = {
                _,
                _ in
            },
            usualExpiry: Expiry? = nil
        ) {
            self.defaultBranch = defaultBranch
            self.setDefaultBranch = setDefaultBranch
            self.hold = hold
            self.fork = fork
            self.madeOfPast = madeOfPast
            self.checkReset = checkReset
            self.point = point
            self.setIdle = setIdle
            self.usualExpiry = usualExpiry
        }
    }

    private let store: Store
    private let surroundings: Surroundings
    private static let historyCount = 100

    package init(_ store: Store, _ surroundings: Surroundings) {
        self.store = store
        self.surroundings = surroundings
    }

    /// The answer; nil where the statement is about computes or sessions.
    package func answer(
        _ statement: AdminStatement,
        for user: WireString
    ) throws(Refusal) -> AdminResult? {
        do { return try perform(statement, Author(user.text)) } catch {
            if let error = error as? OxbowError { throw Refusal(error) }
            throw error as? Refusal ?? Refusal("XX000", "\(error)")
        }
    }

    private func perform(_ statement: AdminStatement, _ author: Author) throws -> AdminResult? {
        switch statement {
        case .show(.branches): return try branches()
        case .show(.sizes): return try sizes()
        case .history(let name): return try history(name)
        case .point(let name, let moment): return try point(name, moment)
        case .create(let creation): return try create(creation, author)
        case .drop(let name, let onlyIfThere): return try drop(name, onlyIfThere, author)
        case .undelete(let name, let new, let lifetime):
            let deleted = try store.deletedBranch(name)
            if OwnBranch(deleted)?.isHidden == true {
                throw Refusal("42704", "there is no deleted branch \(name)")
            }
            let expiry = try Self.expiry(lifetime)
            try store.undelete(deleted.id, as: new, expires: expiry, by: author)
            try store.sync()
            return try shown(branch(new ?? name))
        case .rename(let name, let new): return try rename(name, new, author)
        case .reset(let name, let moment):
            // Before anybody's session ends; and what is ten minutes ago is so as of now.
            let asked = try branch(name)
            let point = try surroundings.point(moment, asked)
            try surroundings.checkReset(asked, point)
            return try whileHeld(name) { branch in
                let isSame = branch.id == asked.id
                let target = isSame ? point : try surroundings.point(moment, branch)
                try branch.reset(to: target, by: author)
                return try shown(branch)
            }
        case .undo(let name):
            return try whileHeld(name) { branch in
                try branch.undo(by: author)
                return try shown(branch)
            }
        case .setDefault(let name):
            try branch(name).info().checkMayBeDefault()
            try surroundings.setDefaultBranch(name)
            return AdminResult()
        case .setIdle(let name, let idle):
            try surroundings.setIdle(branch(name), Self.idle(idle))
            return AdminResult()
        case .show(.computes), .show(.sessions), .show(.help), .suspend, .courtesy: return nil
        }
    }

    // MARK: Looking up

    private func branch(_ name: String) throws -> Branch {
        do throws(OxbowError) {
            let branch = try store.branch(name)
            if try OwnBranch(branch.info())?.isHidden != true { return branch }
        } catch {
            guard error.kind == .notFound || error.kind == .invalid else { throw error }
        }
        let there = try store.branches().filter { OwnBranch($0)?.isHidden != true }
        throw Refusal.unknownBranch(name, among: there.map(\.name))
    }

    /// The record that a moment snaps to, where nobody knows of PostgreSQL.
    @Sendable package static func point(
        _ moment: RequestedMoment,
        _ branch: Branch
    ) throws(Refusal) -> Point {
        if case .walPosition = moment {
            throw Refusal("0A000", "the branch runs no PostgreSQL whose positions could be known")
        }
        do { return try branch.point(at: Moment(parsing: moment.description)) } catch {
            throw Refusal(error)
        }
    }

    // MARK: Showing

    private func branches() throws -> AdminResult {
        let all = try store.branches().filter { OwnBranch($0)?.isHidden != true }
        let names = Dictionary(all.map { ($0.id, $0.name) }) { first, _ in first }
        let usual = surroundings.defaultBranch()
        return AdminResult(
            rows: all.map { info in
                [
                    info.name, info.parent.map { names[$0] ?? "\($0)" },
                    info.origin.map { "\($0)" }, "\(info.created)", info.author.actor,
                    "\(info.head.lsn)", "\(info.head.time)", info.expires.map { "\($0)" },
                    info.isProtected ? "yes" : "no", info.name == usual ? "yes" : "no",
                ]
            }
        )
    }

    private func sizes() throws -> AdminResult {
        let hidden = Set(
            try store.branches().filter { OwnBranch($0)?.isHidden == true }.map(\.name)
        )
        return AdminResult(
            rows: try store.usage().branches.filter { !hidden.contains($0.name) }.map {
                [$0.name, "\($0.reachableBytes)", "\($0.aloneBytes)"]
            }
        )
    }

    private func history(_ name: String) throws -> AdminResult {
        AdminResult(
            rows: try branch(name).history(limit: Self.historyCount).map {
                ["\($0.lsn)", "\($0.time)", $0.kind.rawValue, "\($0.pages)", "\($0.bytes)"]
            }
        )
    }

    private func point(_ name: String, _ moment: RequestedMoment) throws -> AdminResult {
        let point = try surroundings.point(moment, branch(name))
        return AdminResult(rows: [
            [
                "\(point.lsn)", "\(point.time)", point.distance.map { DurationText.seconds($0) },
                point.next.map { "\($0.lsn)" }, point.next.map { "\($0.time)" },
            ]
        ])
    }

    /// Where a branch stands after a change.
    private func shown(_ branch: Branch) throws -> AdminResult {
        let info = try branch.info()
        return AdminResult(rows: [[info.name, "\(info.head.lsn)", "\(info.head.time)"]])
    }

    // MARK: Changing

    private func create(
        _ creation: AdminStatement.Creation,
        _ author: Author
    ) throws -> AdminResult {
        if creation.onlyIfMissing, let there = try? branch(creation.name) {
            return try skipped(there, creation)
        }
        do { return try make(creation, author) } catch {
            // Somebody else made it meanwhile.
            guard creation.onlyIfMissing, let there = try? branch(creation.name) else {
                throw error
            }
            return try skipped(there, creation)
        }
    }

    private func skipped(
        _ there: Branch,
        _ creation: AdminStatement.Creation
    ) throws -> AdminResult {
        try expectSameOrigin(there, creation)
        return try noted(
            shown(there),
            "branch \"\(creation.name)\" already exists, skipping",
            state: "42710"
        )
    }

    private func make(
        _ creation: AdminStatement.Creation,
        _ author: Author
    ) throws -> AdminResult {
        let parentName = creation.parent ?? surroundings.defaultBranch()
        let parent = try branch(parentName)
        let expiry = try Self.expiry(creation.lifetime) ?? surroundings.usualExpiry
        let made: Branch
        if let moment = creation.moment {
            let point = try surroundings.point(moment, parent)
            made = try store.fork(creation.name, from: point, expires: expiry, by: author)
            try store.sync()
            surroundings.madeOfPast(made)
            return try noted(
                shown(made),
                "branch \"\(creation.name)\" begins at \(point.lsn), \(point.time)"
            )
        }
        made = try surroundings.fork(store, creation.name, parent, expiry, author)
        try store.sync()
        return try shown(made)
    }

    /// What is there already must be what was asked for: of the same branch, and where a moment was
    /// named, of the same record.
    private func expectSameOrigin(
        _ there: Branch,
        _ creation: AdminStatement.Creation
    ) throws {
        let info = try there.info()
        let parent = try branch(creation.parent ?? surroundings.defaultBranch())
        let origin = try creation.moment.map { try surroundings.point($0, parent).lsn }
        guard info.parent == parent.id, origin == nil || info.origin == origin else {
            let of = try info.parent.map { try store.branch($0).info().name } ?? "none"
            throw Refusal(
                "42710",
                "branch \"\(creation.name)\" already exists, with another origin",
                detail: "It was made of \(of)\(info.origin.map { " at \($0)" } ?? "")."
            )
        }
    }

    private static func expiry(_ lifetime: AdminStatement.Lifetime?) throws -> Expiry? {
        switch lifetime {
        case nil: return nil
        case .unlimited: return .never
        case .ttl(let text):
            guard let duration = Duration(parsing: text) else {
                throw Refusal("22023", "\"\(text.prefix(80))\" is no duration")
            }
            return .after(duration)
        }
    }

    private static func idle(_ idle: AdminStatement.Idle) throws -> ComputeIdle? {
        switch idle {
        case .usual: return nil
        case .never: return .never
        case .after(let text):
            let seconds = Duration(parsing: text)?.components.seconds ?? 0
            guard (1...ComputeIdle.largestSeconds).contains(seconds) else {
                throw Refusal(
                    "22023",
                    "\"\(text.prefix(80))\" is no time that a compute may do nothing",
                    hint: "Write 1s or more, up to 10000d, or NEVER."
                )
            }
            return .after(seconds: Int(seconds))
        }
    }

    private func noted(
        _ result: AdminResult,
        _ message: String,
        state: String = "00000"
    ) -> AdminResult {
        AdminResult(
            rows: result.rows,
            notices: [ServerReport(.notice, state: state, message)]
        )
    }

    private func drop(
        _ name: String,
        _ onlyIfThere: Bool,
        _ author: Author
    ) throws -> AdminResult {
        if onlyIfThere, (try? store.branch(name)) == nil {
            return noted(AdminResult(), "branch \"\(name)\" does not exist, skipping")
        }
        guard name != surroundings.defaultBranch() else {
            throw Refusal(
                "55006",
                "branch \"\(name)\" is the default branch",
                hint: "SET DEFAULT BRANCH to another first."
            )
        }
        return try whileHeld(name) { branch in
            try branch.delete(by: author)
            return AdminResult()
        }
    }

    private func rename(_ name: String, _ new: String, _ author: Author) throws -> AdminResult {
        try whileHeld(name) { branch in
            guard try OwnBranch(branch.info()) == nil else {
                throw Refusal(
                    "55006",
                    "branch \"\(name)\" belongs to one connection, and goes with it",
                    hint: "CREATE BRANCH \(new) FROM \(name) makes one that stays."
                )
            }
            let isDefault = name == surroundings.defaultBranch()
            try branch.rename(to: new, by: author)
            try store.sync()
            if isDefault { try surroundings.setDefaultBranch(new) }
            return AdminResult()
        }
    }

    /// Makes a change of the branch that bears a name while nobody else changes it.
    private func whileHeld(
        _ name: String,
        _ change: (Branch) throws -> AdminResult
    ) throws -> AdminResult {
        _ = try branch(name)
        let release = try surroundings.hold(name)
        defer { release() }
        let result = try change(branch(name))
        try store.sync()
        return result
    }
}
