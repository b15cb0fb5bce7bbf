import PostgresWire

/// What drivers say unasked.
extension AdminParser {
    mutating func showSetting() throws(Refusal) -> AdminStatement {
        if take("transaction", "isolation", "level") {
            return .courtesy(.show(setting: "transaction_isolation"))
        }
        if take("time", "zone") { return .courtesy(.show(setting: "timezone")) }
        switch tokens.popFirst() {
        case .word(let name)?, .name(let name)?:
            guard AdminSettings.shown[name.lowercased()] != nil else {
                throw Self.unknown(name, statements: Self.shows)
            }
            return .courtesy(.show(setting: name))
        case let other: throw Self.unexpected(other)
        }
    }

    private static let shows = Dictionary(
        (AdminStatement.Listing.allCases.map(\.rawValue) + ["history", "point"]).map {
            ($0, "SHOW \($0.uppercased())")
        }
    ) { first, _ in first }

    /// What is no setting may be a word of a statement that was meant.
    private static func unknown(_ name: String, statements: [String: String]) -> Refusal {
        let names = Array(statements.keys) + Array(AdminSettings.taken)
        let near = Likeness.nearest(name.lowercased(), among: names).first
        return Refusal(
            "42704",
            "unrecognized configuration parameter \"\(name.prefix(80))\"",
            hint: near.map { "Perhaps you meant \(statements[$0] ?? $0)." }
                ?? "SHOW HELP lists what can be said here."
        )
    }

    /// `SET` and `RESET` of what drivers set, which changes nothing.
    private mutating func setting(_ verb: String) throws(Refusal) -> AdminStatement {
        let done = AdminStatement.courtesy(.setting(tag: verb))
        if verb == "SET" { _ = take("session") || take("local") }
        for words in AdminSettings.phrases where take(all: words) {
            tokens = []
            return done
        }
        let first = tokens.popFirst()
        switch first {
        case .word(let name)?, .name(let name)?:
            if verb == "RESET", name == "all", tokens.isEmpty { return done }
            guard AdminSettings.taken.contains(name.lowercased()) else {
                throw Self.unknown(name, statements: ["default": "SET DEFAULT BRANCH"])
            }
        default: throw Self.unexpected(first)
        }
        if verb == "RESET" { return done }
        guard take("to") || tokens.popFirst() == .symbol("="), !tokens.isEmpty else {
            throw Self.unexpected(first)
        }
        tokens = []
        return done
    }

    /// A transaction is begun and ended in name alone.
    mutating func courtesy() throws(Refusal) -> AdminStatement {
        guard case .word(let verb)? = tokens.popFirst() else {
            throw .syntax("this is no statement of the console")
        }
        if verb == "set" || verb == "reset" { return try setting(verb.uppercased()) }
        let rest = tokens
        tokens = []
        switch verb {
        case "begin", "start": return .courtesy(.begin)
        case "commit", "end": return .courtesy(.commit)
        case "rollback", "abort": return .courtesy(.rollback(all: !rest.contains(.word("to"))))
        case "savepoint": return .courtesy(.setting(tag: "SAVEPOINT"))
        case "release": return .courtesy(.setting(tag: "RELEASE"))
        case "deallocate": return .courtesy(.setting(tag: "DEALLOCATE"))
        case "discard": return .courtesy(.setting(tag: "DISCARD ALL"))
        case "close": return .courtesy(.setting(tag: "CLOSE CURSOR ALL"))
        case "unlisten": return .courtesy(.setting(tag: "UNLISTEN"))
        case "select": return try select(Array(rest))
        default:
            throw .syntax("\"\(verb.prefix(80).uppercased())\" is no statement of the console")
        }
    }

    private func select(_ tokens: [AdminToken]) throws(Refusal) -> AdminStatement {
        if tokens.count == 3, case .word(let word) = tokens[0],
            tokens[1...] == [.symbol("("), .symbol(")")]
        {
            let prefix = "pg_catalog."
            let name = word.hasPrefix(prefix) ? String(word.dropFirst(prefix.count)) : word
            if let value = Self.functions[name] {
                return .courtesy(.select(value: value, column: name))
            }
        }
        if tokens.count == 1, let value = tokens[0].plainValue {
            return .courtesy(.select(value: value, column: "?column?"))
        }
        // Whether there are types of extensions, such as hstore.
        if zip(tokens, tokens.dropFirst()).contains(where: { from, table in
            from == .word("from")
                && (table == .word("pg_type") || table == .word("pg_catalog.pg_type"))
        }) {
            return .courtesy(.noTypes)
        }
        throw Refusal(
            "0A000",
            "the console has no tables to select from",
            hint: "SHOW HELP lists what can be said here."
        )
    }

    private static let functions = [
        "version": AdminSession.version, "current_schema": "public", "current_database": "oxbow",
        "pg_is_in_recovery": "f", "pg_advisory_unlock_all": "",
    ]
}
