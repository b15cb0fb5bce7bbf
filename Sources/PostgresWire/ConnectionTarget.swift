package import Primitives

/// How a connection asks for a moment of a branch: recognised by its form alone. What it means, and
/// whether there is such a moment, the store knows.
package enum RequestedMoment: Hashable, Sendable {
    case head
    /// A position in the store's log.
    case lsn(LSN)
    /// A position in PostgreSQL's write-ahead log.
    case walPosition(UInt64)
    /// RFC 3339 with a zone, as it was written.
    case time(String)
    /// A time back from now: digits, perhaps with a fraction, and `ns`, `us`, `ms`, `s`, `m`, `h`
    /// or `d`; as it was written.
    case ago(String)
    case snapshot(String)
}

/// What a connection is to: a database of a branch, now or at a moment, or of a fork of that.
///
/// As the name of a database it is written
///
///     database ["@" branch ["@" moment] ["+"]]
///
/// with `@@` for an `@` in the name of the database itself. A `+` that is not last, as in the zone
/// of a time, is a part of the moment, and one in a name without a branch is a part of the name.
package struct ConnectionTarget: Hashable, Sendable {
    /// The database, as PostgreSQL knows it.
    package var database: WireString
    /// Nil for the default branch.
    package var branch: String?
    /// Nil for now.
    package var moment: RequestedMoment?
    /// Whether the connection gets a fork of its own, which goes when it ends.
    package var isFork: Bool

    package init(
        database: WireString,
        branch: String? = nil,
        moment: RequestedMoment? = nil,
        isFork: Bool = false
    ) {
        self.database = database
        self.branch = branch
        self.moment = moment
        self.isFork = isFork
    }
}

/// The names of branches and snapshots: `^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`.
enum BranchName {
    static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else {
            return false
        }
        let dash = UInt8(ascii: "-")
        return isLetter(first) && last != dash
            && bytes.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == dash }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
}
