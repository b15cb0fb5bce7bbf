import Oxbow

/// `oxbow help`.
enum HelpCommand {
    private static let words = Positional(
        "COMMAND",
        isOptional: true,
        takesRest: true,
        help: "What to explain",
        parse: Values.text
    )

    static let command = Command(
        "help",
        "Explain a command",
        positionals: [words],
        examples: [.init("oxbow help branch create", "the same as oxbow branch create --help")],
        keys: [
            .init("commands[].name", "the command"), .init("commands[].summary", "what it does"),
            .init("commands[].usage", "how it is called"),
            .init("commands[].keys[].path", "a key of the JSON that it prints"),
            .init("commands[].keys[].what", "what stands there"),
        ],
        usesStore: false
    ) { call in
        try show(call.all(words), asJSON: call.wantsJSON, call.output)
    }

    static func show(_ path: [String], asJSON: Bool, _ output: Output) throws {
        let table = Commands.table
        guard let lines = Help.lines(path, table) else {
            let names = table.commands.map { $0.name } + table.firstWords
            let asked = path.joined(separator: " ")
            let near = Suggestion.nearest(to: asked, among: names)
            throw Misuse(
                "there is no command \"\(asked)\""
                    + (near.map { "; did you mean \($0)?" } ?? ": `oxbow help` lists what there is")
            )
        }
        guard asJSON else { return try output.lines(lines) }
        let commands = table.commands.filter { $0.path.starts(with: path) }
        try output.json(["commands": .array(commands.map(json))])
    }

    private static func json(_ command: Command) -> JSON {
        [
            "name": .string(command.name), "summary": .string(command.summary),
            "usage": .string(command.usage),
            "keys": .array(
                command.keys.map { ["path": .string($0.path), "what": .string($0.what)] }
            ),
        ]
    }
}

/// `oxbow --version` and `oxbow version`.
enum VersionCommand {
    static let version = "0.1.0"

    static let command = Command(
        "version",
        "Print the version",
        examples: [.init("oxbow --version", "the same")],
        keys: [.init("version", "the version, by semantic versioning")],
        usesStore: false
    ) { call in
        try print(asJSON: call.wantsJSON, call.output)
    }

    static func print(asJSON: Bool, _ output: Output) throws(Output.Failure) {
        if asJSON {
            try output.json(["version": .string(version)])
        } else {
            try output.line("oxbow \(version)")
        }
    }
}
