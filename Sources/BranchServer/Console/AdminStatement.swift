package import PostgresWire

/// What can be said to the admin console.
package enum AdminStatement: Hashable, Sendable {
    package enum Listing: String, Sendable, CaseIterable {
        case branches
        case computes
        case sessions
        case sizes
        case help
    }

    /// How long a branch is kept.
    package enum Lifetime: Hashable, Sendable {
        /// A duration, as it was written: `1h`.
        case ttl(String)
        case unlimited
    }

    /// When a compute is stopped that nobody uses.
    package enum Idle: Hashable, Sendable {
        /// A duration, as it was written: `10m`.
        case after(String)
        case never
        /// As the server's options say.
        case usual
    }

    package struct Creation: Hashable, Sendable {
        package var name: String
        /// Nil for the default branch.
        package var parent: String?
        /// Nil for now.
        package var moment: RequestedMoment?
        /// Nil for what the server does unless told.
        package var lifetime: Lifetime?
        package var onlyIfMissing: Bool

        package init(
            name: String,
            parent: String? = nil,
            moment: RequestedMoment? = nil,
            lifetime: Lifetime? = nil,
            onlyIfMissing: Bool = false
        ) {
            self.name = name
            self.parent = parent
            self.moment = moment
            self.lifetime = lifetime
            self.onlyIfMissing = onlyIfMissing
        }
    }

    case show(Listing)
    case history(branch: String)
    case point(branch: String, RequestedMoment)
    case create(Creation)
    case drop(branch: String, onlyIfThere: Bool)
    case undelete(branch: String, name: String?, Lifetime?)
    case rename(branch: String, to: String)
    case reset(branch: String, to: RequestedMoment)
    case undo(branch: String)
    case suspend(branch: String)
    case setDefault(branch: String)
    case setIdle(branch: String, Idle)
    /// What drivers say unasked.
    case courtesy(AdminCourtesy)
}

/// What drivers say to any server, and what is answered without doing anything.
package enum AdminCourtesy: Hashable, Sendable {
    case empty
    case begin
    case commit
    /// The whole transaction, or to a savepoint of it.
    case rollback(all: Bool)
    /// `SET`, `RESET`, `DISCARD` and the like, by the tag of the answer.
    case setting(tag: String)
    case show(setting: String)
    /// `SELECT` of one plain value, in the column of this name.
    case select(value: String, column: String)
    /// `SELECT` of types beyond those of every server, of which there are none.
    case noTypes
}

extension AdminStatement {
    /// The columns of the answer; nil where it has no rows.
    package var columns: [String]? {
        switch self {
        case .show(.branches):
            [
                "name", "parent", "origin", "created", "author", "head", "head_time", "expires",
                "protected", "default",
            ]
        case .show(.computes):
            ["branch", "moment", "state", "pid", "sessions", "starts", "last_start_ms"]
        case .show(.sessions):
            ["branch", "database", "user", "state", "application", "client", "quiet"]
        case .show(.sizes): ["branch", "reachable_bytes", "alone_bytes"]
        case .show(.help): ["statement", "what_it_does"]
        case .history: ["lsn", "time", "kind", "pages", "bytes"]
        case .point: ["lsn", "time", "distance", "next_lsn", "next_time"]
        case .create, .undelete, .reset, .undo: ["branch", "lsn", "time"]
        case .drop, .rename, .suspend, .setDefault, .setIdle: nil
        case .courtesy(.show(let setting)): [setting]
        case .courtesy(.select(_, let column)): [column]
        case .courtesy(.noTypes): ["oid"]
        case .courtesy: nil
        }
    }

    /// Whether it does more than show something.
    var changesSomething: Bool {
        switch self {
        case .show, .history, .point, .courtesy: false
        case .create, .drop, .undelete, .rename, .reset, .undo, .suspend, .setDefault, .setIdle:
            true
        }
    }

    /// What CommandComplete says.
    func tag(rowCount: Int) -> String {
        switch self {
        case .show, .history, .point, .courtesy(.show): "SHOW"
        case .create: "CREATE BRANCH"
        case .drop: "DROP BRANCH"
        case .undelete: "UNDELETE BRANCH"
        case .rename: "RENAME BRANCH"
        case .reset: "RESET BRANCH"
        case .undo: "UNDO BRANCH"
        case .suspend: "SUSPEND BRANCH"
        case .setDefault: "SET DEFAULT BRANCH"
        case .setIdle: "ALTER BRANCH"
        case .courtesy(.begin): "BEGIN"
        case .courtesy(.commit): "COMMIT"
        case .courtesy(.rollback): "ROLLBACK"
        case .courtesy(.setting(let tag)): tag
        case .courtesy(.select), .courtesy(.noTypes): "SELECT \(rowCount)"
        case .courtesy(.empty): ""
        }
    }

    /// The console's manual.
    package static let help: [[String?]] = [
        ["SHOW BRANCHES", "the branches, with what they were made of and when they go"],
        ["SHOW COMPUTES", "the PostgreSQL servers that run, and for which branch"],
        ["SHOW SESSIONS", "who is connected to what"],
        ["SHOW SIZES", "what each branch takes, and what deleting it would free"],
        ["SHOW HISTORY FOR branch", "the newest records of a branch"],
        ["SHOW POINT branch AT 'moment'", "the record that a moment snaps to"],
        [
            "CREATE BRANCH [IF NOT EXISTS] name [FROM branch] [AT 'moment'] "
                + "[TTL 'duration' | NO EXPIRY]",
            "a branch of another, now or at a moment",
        ],
        ["DROP BRANCH [IF EXISTS] name", "deletes a branch, which can be undone in its window"],
        [
            "UNDELETE BRANCH name [AS name] [TTL 'duration' | NO EXPIRY]",
            "brings a deleted branch back",
        ],
        ["RENAME BRANCH name TO name", "changes a name"],
        ["RESET BRANCH name TO 'moment'", "sets a branch back, ending its sessions"],
        ["UNDO BRANCH name", "takes the last reset back"],
        ["SUSPEND BRANCH name", "stops a branch's compute until somebody connects"],
        [
            "ALTER BRANCH name SET IDLE 'duration' | NEVER | DEFAULT",
            "how long its compute stays that nobody uses",
        ],
        ["SET DEFAULT BRANCH name", "the branch of connections that name none"],
        ["SHOW HELP", "this list"],
    ]
}

/// What a statement yields. The columns are the statement's.
package struct AdminResult: Hashable, Sendable {
    package var rows: [[String?]]
    package var notices: [ServerReport]

    package init(rows: [[String?]] = [], notices: [ServerReport] = []) {
        self.rows = rows
        self.notices = notices
    }
}
