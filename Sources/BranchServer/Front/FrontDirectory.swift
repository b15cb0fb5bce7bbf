package import Oxbow
package import PostgresWire
package import Primitives

/// What the front needs to know of branches and computes. Everything here may wait, and is called
/// on threads that are for waiting, several at a time.
package protocol BranchDirectory: Sendable {
    /// The verifier of the role's password as the branch's PostgreSQL has it, or nil for one who
    /// may not log in, whatever the reason. Asked before anybody is authenticated: so nothing is
    /// started or forked for it, and where there is no such branch it answers as for the default
    /// branch, so that a stranger learns nothing of names.
    func verifier(for request: ConnectionRequest) throws(Refusal) -> SCRAMVerifier?

    /// Finds what an authenticated client asks for, forks what is to be forked, and starts the
    /// compute if it is not running.
    func open(_ request: ConnectionRequest) throws(Refusal) -> Endpoint

    /// Whether an authenticated user may say this in the console.
    func authorize(_ statement: AdminStatement, for user: WireString) throws(Refusal)

    /// Does what the admin console was told to by somebody who may. Who is connected, the front
    /// answers itself.
    func answer(_ statement: AdminStatement, for user: WireString) throws(Refusal) -> AdminResult
}

/// Where a connection goes.
package struct Endpoint: Sendable {
    /// The socket of the compute.
    package var socketPath: String
    /// The branch, by the name that it has now.
    package var branch: String
    /// What tells the branch from others that bear its name before or after it.
    package var key: String
    /// Whether what is behind it is of no use to anybody once the client is gone.
    package var endsWithClient: Bool
    /// What the compute must see proved; nil where its socket alone says who comes.
    package var password: [UInt8]?
    /// What the client is told once it is in: what a moment snapped to.
    package var notices: [ServerReport]
    /// Settings of the session, such as `oxbow.lsn`, that `SHOW` shows.
    package var settings: [StartupOptions.Setting]
    /// Called once, when the connection to the compute is over.
    package var release: @Sendable () -> Void

    package init(
        socketPath: String,
        branch: String,
        key: String,
        endsWithClient: Bool = false,
        password: [UInt8]? = nil,
        notices: [ServerReport] = [],
        settings: [StartupOptions.Setting] = [],
        release: @escaping @Sendable () -> Void = {}
    ) {
        self.socketPath = socketPath
        self.branch = branch
        self.key = key
        self.endsWithClient = endsWithClient
        self.password = password
        self.notices = notices
        self.settings = settings
        self.release = release
    }
}

/// Why something was not done, in the words that the client is told.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let state: String
    package let message: String
    package let detail: String?
    package let hint: String?
    /// Whether a compute came or went just then, so that it may be otherwise at once.
    package var isPassing = false

    package init(_ state: String, _ message: String, detail: String? = nil, hint: String? = nil) {
        invariant(state.utf8.count == 5, "SQLSTATE \(state)")
        self.state = state
        self.message = message
        self.detail = detail
        self.hint = hint
    }

    init(_ error: WireError) {
        self.init(error.state.rawValue, error.message, detail: error.detail)
    }

    func report(_ severity: ServerReport.Severity) -> ServerReport {
        ServerReport(severity, state: state, message, detail: detail, hint: hint)
    }

    package var description: String { "\(state) \(message)" }
}

extension Refusal {
    /// The compute ended while somebody was on the way to it.
    package static func passing(_ message: String) -> Refusal {
        var refusal = Refusal(
            "57P03",
            message,
            hint: "Try again: it is started when somebody connects."
        )
        refusal.isPassing = true
        return refusal
    }

    static func full(_ error: RoleError) -> Refusal {
        Refusal("53300", "sorry, too many clients already", detail: "\(error)")
    }

    /// What is kept of the roles may be old, and the server has not asked yet.
    static func rolesAreNotKnown(_ error: RoleError) -> Refusal {
        if error.isFull { return full(error) }
        return Refusal(
            "57P03",
            "who may log in is not known just now",
            detail: "\(error)",
            hint: "Try again: the server asks by itself, and its log says where it cannot."
        )
    }

    /// There is no such branch, but perhaps one with nearly that name.
    package static func unknownBranch(_ name: String, among names: [String]) -> Refusal {
        let near = Likeness.nearest(name, among: names)
        let hint =
            near.isEmpty
            ? "SHOW BRANCHES in the database oxbow lists the branches."
            : "Perhaps you meant \(near.map { "\"\($0)\"" }.joined(separator: " or "))."
        return Refusal("3D000", "branch \"\(name.prefix(80))\" does not exist", hint: hint)
    }

    /// The moment is before what is kept of the branch.
    package static func beforeHistory(
        _ moment: String,
        of branch: String,
        earliest: LogTime
    ) -> Refusal {
        Refusal(
            "22023",
            "the history of branch \"\(branch)\" does not reach back to \(moment.prefix(80))",
            detail: "The earliest moment that is kept is \(earliest).",
            hint: "Connect to \(branch)@\(earliest) or later."
        )
    }

    /// A compute would not run; these are the last lines that it wrote.
    package static func failedCompute(of branch: String, lastLines: [String]) -> Refusal {
        Refusal(
            "57P03",
            "the compute of branch \"\(branch)\" did not start",
            detail: lastLines.isEmpty ? nil : lastLines.suffix(20).joined(separator: "\n"),
            hint: "`oxbow logs \(branch)` says more."
        )
    }

    /// The engine would not do it.
    package init(_ error: OxbowError) {
        let state =
            switch error.kind {
            case .busy: "55006"
            case .invalid: "22023"
            case .conflict: "42710"
            case .notFound: "42704"
            case .full: "53100"
            case .damaged: "XX001"
            case .reopen: "57P03"
            case .defect: "XX000"
            }
        self.init(state, error.message, detail: error.cause)
    }
}

/// How near names are to each other.
package enum Likeness {
    private static let largestCount = 63

    /// Up to three names, nearest first, that could have been meant.
    package static func nearest(_ name: String, among names: [String]) -> [String] {
        let limit = max(2, name.utf8.count / 3)
        let near = names.map { ($0, distance(name, $0)) }.filter { $0.1 <= limit }
        return near.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
    }

    /// How many letters must be put in, taken out or changed, or two beside each other exchanged.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.utf8.prefix(largestCount))
        let right = Array(right.utf8.prefix(largestCount))
        var before: [Int] = []
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var next = [index + 1]
            for (place, other) in right.enumerated() {
                var cost = min(row[place] + (letter == other ? 0 : 1), row[place + 1] + 1)
                cost = min(cost, next[place] + 1)
                if index > 0, place > 0, letter == right[place - 1], left[index - 1] == other {
                    cost = min(cost, before[place - 1] + 1)
                }
                next.append(cost)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}
