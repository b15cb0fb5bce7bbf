import PostgresWire
import Primitives

/// How a client reaches a branch, or a moment of it, through a server.
package struct BranchAddress: Sendable, Equatable {
    package var host: String
    package var port: UInt16
    package var user: String
    /// Nil where the server does not know it.
    package var password: String?
    /// As PostgreSQL knows it.
    package var database: String
    package var branch: String
    /// A record, or a snapshot's name; nil for now.
    package var moment: String?
    /// Whether each connection gets a fork of its own.
    package var isFork: Bool
    /// The folder of the branch's own socket.
    package var socketFolder: String?

    package init(
        host: String,
        port: UInt16,
        user: String,
        password: String? = nil,
        database: String,
        branch: String,
        moment: String? = nil,
        isFork: Bool = false,
        socketFolder: String? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.branch = branch
        self.moment = moment
        self.isFork = isFork
        self.socketFolder = socketFolder
    }

    /// The socket leads to the branch as it is now.
    package var ownSocketFolder: String? { moment == nil && !isFork ? socketFolder : nil }

    /// The name by which the server's port knows the database: `app@pr-1432`.
    package var databaseName: String {
        let moment = moment.map { "@" + $0 } ?? ""
        let name = database.replacing(marks: ["@": "@@"])
        return name + "@" + branch + moment + (isFork ? "+" : "")
    }
}

/// How a client wants to be told where to connect.
package enum AddressFormat: String, CaseIterable, Sendable {
    case uri, libpq, sqlalchemy, jdbc, npgsql, fields

    /// The address as this client parses it.
    package func text(_ address: BranchAddress) -> String {
        switch self {
        case .uri: Self.uri(address, database: Self.escaped(address.databaseName, keeping: "@:+"))
        // Up to 2.0 it takes the name of the database as it stands, and since then unescapes it: so
        // what need not be escaped stands for itself.
        case .sqlalchemy:
            Self.uri(
                address,
                database: address.databaseName.replacing(marks: ["%": "%25", "?": "%3F"])
            )
        case .libpq: Self.keywords(address)
        case .jdbc: Self.jdbc(address)
        case .npgsql: Self.npgsql(address)
        case .fields: Self.fields(address)
        }
    }

    /// An `@` or a `+` in the last part of a URL means nothing, and some clients unescape `%40`
    /// there while others do not: so they stand as they are, which all of them read alike.
    private static func uri(_ address: BranchAddress, database: String) -> String {
        let secret = address.password.map { ":" + escaped($0) } ?? ""
        let server = "\(bracketed(address.host)):\(address.port)"
        return "postgresql://\(escaped(address.user))\(secret)@\(server)/\(database)"
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }

    private static func keywords(_ address: BranchAddress) -> String {
        var pairs = [("host", address.host), ("port", "\(address.port)"), ("user", address.user)]
        if let password = address.password { pairs.append(("password", password)) }
        pairs.append(("dbname", address.databaseName))
        return pairs.map(keyword).joined(separator: " ")
    }

    /// A part of what libpq connects by, which takes it for what it is, whatever stands in it.
    package static func keyword(_ name: String, _ value: String) -> String {
        if isPlain(value) { return "\(name)=\(value)" }
        return "\(name)='" + value.replacing(marks: ["\\": "\\\\", "'": "\\'"]) + "'"
    }

    /// Whether a text has nothing that any form has a meaning for.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && escaped(text, keeping: "@:+/") == text
    }

    private static func jdbc(_ address: BranchAddress) -> String {
        let secret = address.password.map { "&password=" + escaped($0) } ?? ""
        let server = "\(bracketed(address.host)):\(address.port)"
        return "jdbc:postgresql://\(server)/\(escaped(address.databaseName))"
            + "?user=\(escaped(address.user))\(secret)"
    }

    private static func npgsql(_ address: BranchAddress) -> String {
        func quoted(_ text: String) -> String {
            isPlain(text) ? text : "\"" + text.replacing(marks: ["\"": "\"\""]) + "\""
        }
        var pairs = [
            ("Host", address.host), ("Port", "\(address.port)"), ("Username", address.user),
        ]
        if let password = address.password { pairs.append(("Password", password)) }
        pairs.append(("Database", address.databaseName))
        return pairs.map { "\($0)=\(quoted($1))" }.joined(separator: ";")
    }

    /// A word and its value on each line, for scripts, and for commands of ours. A value that has
    /// several lines stands on one.
    private static func fields(_ address: BranchAddress) -> String {
        let all: [(String, String?)] = [
            ("host", address.host), ("port", "\(address.port)"), ("user", address.user),
            ("password", address.password), ("dbname", address.databaseName),
            ("database", address.database), ("branch", address.branch),
            ("moment", address.moment), ("fork", address.isFork ? "on" : nil),
            ("socket", address.ownSocketFolder),
        ]
        return all.compactMap { name, value in
            value.map { "\(name) \($0.replacing(marks: marksOfFields))" }
        }.joined(separator: "\n")
    }

    private static let marksOfFields: [Unicode.Scalar: String] = [
        "\\": #"\\"#, "\n": #"\n"#, "\r": #"\r"#,
    ]

    /// What a value was before that.
    fileprivate static func fieldValue(_ text: Substring.UnicodeScalarView) -> String {
        var value = String.UnicodeScalarView()
        var rest = text
        while let scalar = rest.popFirst() {
            let next = scalar == "\\" ? rest.popFirst() : scalar
            switch (scalar, next) {
            case ("\\", "n"): value.append("\n")
            case ("\\", "r"): value.append("\r")
            default: next.map { value.append($0) }
            }
        }
        return String(value)
    }

    /// With `%` and two digits for what a part of a URL must not have.
    static func escaped(_ text: String, keeping kept: String = "") -> String {
        let plain = Set(Array("-._~\(kept)".utf8))
        return text.utf8.map { byte in
            let isLetter = (0x61...0x7a).contains(byte | 0x20) && byte < 0x80
            if isLetter || (0x30...0x39).contains(byte) || plain.contains(byte) {
                return String(UnicodeScalar(byte))
            }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.utf8.count < 2 ? "0" : "") + digits
        }.joined()
    }
}

extension BranchAddress {
    /// Reads what ``AddressFormat/fields`` is written as; nil for other text.
    package init?(fields text: String) {
        var known: [String: String] = [:]
        for line in text.unicodeScalars.split(separator: "\n") {
            guard let space = line.firstIndex(of: " ") else { return nil }
            let value = line[line.index(after: space)...]
            known[String(line[..<space])] = AddressFormat.fieldValue(value)
        }
        guard let host = known["host"], let port = known["port"].flatMap({ UInt16($0) }),
            let user = known["user"], let database = known["database"],
            let branch = known["branch"]
        else { return nil }
        self.init(
            host: host,
            port: port,
            user: user,
            password: known["password"],
            database: database,
            branch: branch,
            moment: known["moment"],
            isFork: known["fork"] == "on",
            socketFolder: known["socket"]
        )
    }

    /// What programs over libpq, and many others, take from their environment. Over the branch's
    /// own socket every database that is named without a branch is the branch's: so a tool that
    /// opens several stays on it. What would lead elsewhere is taken away.
    ///
    /// - Parameter options: `PGOPTIONS` as they are; kept but for settings that name a branch.
    package func variables(options: String? = nil) -> [(name: String, value: String?)] {
        let isLocal = ownSocketFolder != nil
        // There, too, an `@` stands before a branch, and `oxbow` is the console.
        let isPlain = isLocal && !database.utf8.contains(UInt8(ascii: "@")) && database != "oxbow"
        return [
            ("PGHOST", ownSocketFolder ?? host), ("PGPORT", isLocal ? "5432" : "\(port)"),
            ("PGUSER", user), ("PGPASSWORD", password),
            ("PGDATABASE", isPlain ? database : databaseName),
            ("DATABASE_URL", AddressFormat.uri.text(self)),
            ("PGOPTIONS", options.flatMap(Self.withoutBranch)), ("PGSERVICE", nil),
            ("PGHOSTADDR", nil),
        ]
    }

    /// Nil where nothing is left, or where a branch may be named in a way that is not understood.
    private static func withoutBranch(_ options: String) -> String? {
        do throws(WireError) {
            var parsed = try StartupOptions(parsing: WireString(options))
            let count = parsed.settings.count
            parsed.settings.removeAll { $0.name.hasPrefix("oxbow.") }
            if parsed.settings.count == count { return options }
            return parsed.settings.isEmpty ? nil : parsed.text.text
        } catch {
            return options.lowercased().contains("oxbow") ? nil : options
        }
    }
}
