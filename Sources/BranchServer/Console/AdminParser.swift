import Oxbow
import PostgresWire

extension AdminStatement {
    /// Reads a text of statements with `;` between them. An empty one is a statement, too.
    package static func parse(_ text: String) throws(Refusal) -> [AdminStatement] {
        let tokens: [AdminToken]
        do { tokens = try AdminToken.split(text) } catch { throw .syntax(error.message) }
        var statements: [AdminStatement] = []
        for part in tokens.split(separator: .symbol(";")) {
            var parser = AdminParser(tokens: part)
            statements.append(try parser.statement())
        }
        return statements.isEmpty ? [.courtesy(.empty)] : statements
    }
}

extension Refusal {
    static func syntax(_ message: String) -> Refusal {
        Refusal("42601", message, hint: "SHOW HELP lists what can be said here.")
    }
}

/// Reads one statement, word by word.
struct AdminParser {
    var tokens: ArraySlice<AdminToken>

    mutating func statement() throws(Refusal) -> AdminStatement {
        let statement = try any()
        guard let extra = tokens.first else { return statement }
        throw Self.unexpected(extra)
    }

    static func unexpected(_ token: AdminToken?) -> Refusal {
        let text =
            switch token {
            case nil: "end of input"
            case .word(let text)?, .name(let text)?, .text(let text)?: "\"\(text.prefix(80))\""
            case .symbol(let letter)?: "\"\(letter)\""
            }
        return .syntax("syntax error at \(token == nil ? "" : "or near ")\(text)")
    }

    mutating func take(_ words: String...) -> Bool { take(all: words) }

    mutating func take(all words: [String]) -> Bool {
        guard tokens.count >= words.count,
            zip(tokens, words).allSatisfy({ $0 == .word($1) })
        else { return false }
        tokens = tokens.dropFirst(words.count)
        return true
    }

    /// The word BRANCH may be left out, but for a branch of that name.
    private mutating func takeBranch(after words: String...) -> Bool {
        guard take(all: words) else { return false }
        // One that is followed by these is a name itself.
        let next = tokens.dropFirst().first
        if tokens.first == .word("branch"), next != nil, next != .word("to"), next != .word("as") {
            tokens = tokens.dropFirst()
        }
        return true
    }

    private mutating func expect(_ word: String) throws(Refusal) {
        guard take(word) else { throw Self.unexpected(tokens.first) }
    }

    private mutating func any() throws(Refusal) -> AdminStatement {
        if take("show") { return try show() }
        if take("create", "branch") { return try create() }
        if takeBranch(after: "drop") {
            let onlyIfThere = take("if", "exists")
            return .drop(branch: try branch(), onlyIfThere: onlyIfThere)
        }
        if takeBranch(after: "undelete") {
            let old = try branch()
            let name = take("as") ? try branch() : nil
            return .undelete(branch: old, name: name, try lifetime())
        }
        if takeBranch(after: "rename") {
            let old = try branch()
            try expect("to")
            return .rename(branch: old, to: try branch())
        }
        if take("alter", "branch") { return try alter() }
        // RESET of a setting is a courtesy.
        if tokens.dropFirst(2).first == .word("to") || tokens.dropFirst().first == .word("branch"),
            takeBranch(after: "reset")
        {
            let name = try branch()
            try expect("to")
            return .reset(branch: name, to: try moment())
        }
        if takeBranch(after: "undo") { return .undo(branch: try branch()) }
        if takeBranch(after: "suspend") { return .suspend(branch: try branch()) }
        if takeBranch(after: "set", "default") { return .setDefault(branch: try branch()) }
        return try courtesy()
    }

    /// A branch's name: the store knows which there are, and here is only said which could be.
    private mutating func branch() throws(Refusal) -> String {
        switch tokens.popFirst() {
        case .word(let name)?, .name(let name)?, .text(let name)?:
            guard !name.isEmpty, name.utf8.count <= 63, !name.unicodeScalars.contains("\0") else {
                throw Refusal(
                    "42602",
                    "\"\(name.prefix(80))\" is no name of a branch",
                    hint: "Names match \(Name.rule)."
                )
            }
            return name
        case let other: throw Self.unexpected(other)
        }
    }

    private mutating func moment() throws(Refusal) -> RequestedMoment {
        let text: String
        switch tokens.popFirst() {
        // A position is written in capitals, and a word has become small.
        case .word(let word)? where word.hasPrefix("l"): text = word.uppercased()
        case .word(let word)?, .name(let word)?, .text(let word)?: text = word
        case let other: throw Self.unexpected(other)
        }
        let found = RequestedMoment(text) ?? RequestedMoment(text.lowercased())
        guard let found else {
            throw Refusal(
                "22023",
                "\"\(text.prefix(80))\" is no moment",
                hint: "Write a time with its zone ('2026-04-08T22:56:02Z'), a duration back "
                    + "('10m'), a position (L16B3F28) or a snapshot's name."
            )
        }
        return found
    }

    private mutating func show() throws(Refusal) -> AdminStatement {
        if take("history") {
            guard take("for") || take("of") else { throw Self.unexpected(tokens.first) }
            return .history(branch: try branch())
        }
        if take("point") {
            let name = try branch()
            try expect("at")
            return .point(branch: name, try moment())
        }
        if case .word(let word)? = tokens.first,
            let listing = AdminStatement.Listing(rawValue: word)
        {
            tokens = tokens.dropFirst()
            return .show(listing)
        }
        return try showSetting()
    }

    private mutating func create() throws(Refusal) -> AdminStatement {
        var isConditional = take("if", "not", "exists")
        var made = AdminStatement.Creation(name: try branch())
        while let next = tokens.first {
            if made.parent == nil, take("from") {
                made.parent = try branch()
            } else if made.moment == nil, take("at") {
                made.moment = try moment()
            } else if made.lifetime == nil, let stated = try lifetime() {
                made.lifetime = stated
            } else if !isConditional, take("if", "not", "exists") {
                isConditional = true
            } else {
                throw Self.unexpected(next)
            }
        }
        made.onlyIfMissing = isConditional
        return .create(made)
    }

    private mutating func lifetime() throws(Refusal) -> AdminStatement.Lifetime? {
        if take("ttl") { return .ttl(try duration()) }
        return take("no", "expiry") ? .unlimited : nil
    }

    private mutating func alter() throws(Refusal) -> AdminStatement {
        let name = try branch()
        try expect("set")
        try expect("idle")
        if take("never") { return .setIdle(branch: name, .never) }
        if take("default") { return .setIdle(branch: name, .usual) }
        return .setIdle(branch: name, .after(try duration()))
    }

    private mutating func duration() throws(Refusal) -> String {
        switch tokens.popFirst() {
        case .word(let text)?, .text(let text)?:
            guard case .ago(let duration)? = RequestedMoment(text) else {
                throw Refusal(
                    "22023",
                    "\"\(text.prefix(80))\" is no duration",
                    hint: "Write a number and one of ms, s, m, h and d, such as '1h'."
                )
            }
            return duration
        case let other: throw Self.unexpected(other)
        }
    }
}
