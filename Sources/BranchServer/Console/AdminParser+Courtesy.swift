import PostgresWire

/// What drivers say unasked.
extension AdminParser {
    mutating func showSetting() throws(Refusal) -> AdminStatement {
        if take("transaction", "isolation", "level") {
            return .courtesy(.show(setting: "transaction_isolation"))
        }
        switch tokens.popFirst() {
        case .word(let name)?, .name(let name)?: return .courtesy(.show(setting: name))
        case let other: throw Self.unexpected(other)
        }
    }

    /// A transaction is begun and ended in name alone.
    mutating func courtesy() throws(Refusal) -> AdminStatement {
        guard case .word(let verb)? = tokens.popFirst() else {
            throw .syntax("this is no statement of the console")
        }
        let rest = tokens
        tokens = []
        switch verb {
        case "begin", "start": return .courtesy(.begin)
        case "commit", "end": return .courtesy(.commit)
        case "rollback", "abort": return .courtesy(.rollback(all: !rest.contains(.word("to"))))
        case "savepoint": return .courtesy(.setting(tag: "SAVEPOINT"))
        case "release": return .courtesy(.setting(tag: "RELEASE"))
        case "set": return .courtesy(.setting(tag: "SET"))
        case "reset": return .courtesy(.setting(tag: "RESET"))
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
