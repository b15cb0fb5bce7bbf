/// One thing that `oxbow` does: everything that there is to know of it, in one value.
package struct Command: Sendable {
    /// An example for help: the line, and what it does.
    package struct Example: Sendable {
        package let line: String
        package let what: String

        package init(_ line: String, _ what: String) {
            self.line = line
            self.what = what
        }
    }

    /// A key of the JSON that the command prints, as a path: `branches[].head.lsn`.
    package struct Key: Sendable {
        package let path: String
        package let what: String

        package init(_ path: String, _ what: String) {
            self.path = path
            self.what = what
        }
    }

    /// Who does it.
    package enum Place: Sendable {
        /// Whoever has the store open: the server where one runs.
        case store
        /// The process that was called, always.
        case here
    }

    /// Its name: one word, or a group's and its own.
    package let path: [String]
    package let summary: String
    package let positionals: [any AnyPositional]
    package let options: [any AnyOption]
    /// What help says after the summary, in paragraphs.
    package let discussion: [String]
    package let examples: [Example]
    package let keys: [Key]
    /// Whether it works on a store, and so takes `--store`.
    package let usesStore: Bool
    package let place: Place
    /// Whether a call of it is done by the process that was called all the same.
    package let isHere: @Sendable (Invocation) -> Bool
    package let run: @Sendable (Invocation) throws -> Void

    package init(
        _ path: String,
        _ summary: String,
        positionals: [any AnyPositional] = [],
        options: [any AnyOption] = [],
        discussion: [String] = [],
        examples: [Example] = [],
        keys: [Key] = [],
        usesStore: Bool = true,
        place: Place = .store,
        isHere: @escaping @Sendable (Invocation) -> Bool = { _ in false },
        run: @escaping @Sendable (Invocation) throws -> Void
    ) {
        self.path = path.split(separator: " ").map(String.init)
        self.summary = summary
        self.positionals = positionals
        self.options = options
        self.discussion = discussion
        self.examples = examples
        self.keys = keys
        self.usesStore = usesStore
        self.place = usesStore ? place : .here
        self.isHere = isHere
        self.run = run
    }

    package var name: String { path.joined(separator: " ") }

    /// The options that it takes, the ones that all take included.
    package var allOptions: [any AnyOption] {
        let takesLetter = options.contains { $0.letter == Globals.store.letter }
        let store = takesLetter ? Globals.storeInFull : Globals.store
        return options + (usesStore ? [store] : []) + [Globals.json, Globals.help]
    }

    /// `oxbow branch create NAME --from BRANCH[@POINT] [--expires WHEN] ...`
    package var usage: String {
        let required = options.filter(\.isRequired).map(\.usage)
        let optional = options.filter { !$0.isRequired }
            .map { "[\($0.usage)]" + ($0.repeats ? "..." : "") }
        return (["oxbow", name] + positionals.map(\.usage) + required + optional)
            .joined(separator: " ")
    }
}

/// Commands that belong together, under a heading of help.
package struct Topic: Sendable {
    package let title: String
    package let commands: [Command]

    package init(_ title: String, _ commands: [Command]) {
        self.title = title
        self.commands = commands
    }
}

/// What can be said with every command.
package enum Globals {
    package static let store = store(letter: "s")
    /// For commands with another use for the letter.
    package static let storeInFull = store(letter: nil)

    private static func store(letter: Character?) -> Option<String> {
        Option(
            "store",
            letter: letter,
            "DIR",
            help: "The store's folder; by default $OXBOW_STORE, or else the current folder"
        ) { text throws(Misuse) in
            if text.isEmpty { throw Misuse("--store needs a folder, such as --store data") }
            return text
        }
    }
    package static let json = Flag(
        "json",
        help: "Print one JSON document instead of text; errors too"
    )
    package static let help = Flag("help", letter: "h", help: "Say what the command does")
    package static let version = Flag("version", help: "Print the version")
}

/// All commands, in the order of help.
package struct CommandTable: Sendable {
    package let topics: [Topic]
    package let commands: [Command]

    package init(_ topics: [Topic]) {
        self.topics = topics
        commands = topics.flatMap(\.commands)
    }

    /// The words that can stand first.
    package var firstWords: [String] {
        var words: [String] = []
        for command in commands where !words.contains(command.path[0]) {
            words.append(command.path[0])
        }
        return words
    }

    package func commands(of group: String) -> [Command] {
        commands.filter { $0.path.count > 1 && $0.path[0] == group }
    }

    package func command(_ path: [String]) -> Command? { commands.first { $0.path == path } }
}
