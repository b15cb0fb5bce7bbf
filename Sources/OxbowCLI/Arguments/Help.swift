/// Help, laid out for 80 columns, from what the commands declare.
package enum Help {
    private static let width = 80

    /// Help for a command, for the commands that begin with a word, or for all; nil where there is
    /// no such command.
    package static func lines(_ path: [String], _ table: CommandTable) -> [String]? {
        if path.isEmpty { return overview(table) }
        if let command = table.command(path) { return lines(command) }
        let group = path.count == 1 ? table.commands(of: path[0]) : []
        return group.isEmpty ? nil : lines(group, path[0])
    }

    package static func overview(_ table: CommandTable) -> [String] {
        var lines = [
            "oxbow: databases with branches and a past", "",
            "Usage: oxbow COMMAND [ARGUMENT ...] [--store DIR] [--json]",
        ]
        let column = (table.commands.map(\.name.count).max() ?? 0) + 4
        for topic in table.topics {
            lines += ["", "\(topic.title):"]
            for command in topic.commands {
                lines += row("  \(command.name)", command.summary, column)
            }
        }
        lines += ["", "With every command:"]
        let globals: [any AnyOption] = [Globals.store, Globals.json, Globals.help]
        for option in globals { lines += row("  " + label(option), option.help, 22) }
        return lines + [""] + points + [""] + ending
    }

    private static let points = [
        "A POINT of a branch is an LSN (L16B3F28), a time with its zone",
        "(2026-04-08T22:56:02Z), a time back (10m), a snapshot's name, or head. It means",
        "the last record at or before it. A position of PostgreSQL's log (0/16B3F28)",
        "means the first record at which that log reached it.",
    ]

    private static let ending = [
        "The exit code is 0, or 1 for a failure, or 2 for wrong usage. With --json an",
        "error is {\"error\": {\"kind\": ..., \"message\": ...}} on the standard output.", "",
        "`oxbow help COMMAND` says more, with examples.",
    ]

    private static func lines(_ group: [Command], _ name: String) -> [String] {
        var lines = ["Usage: oxbow \(name) COMMAND ...", ""]
        let column = (group.map(\.name.count).max() ?? 0) + 4
        for command in group { lines += row("  \(command.name)", command.summary, column) }
        return lines + ["", "`oxbow help \(name) COMMAND` says more, with examples."]
    }

    package static func lines(_ command: Command) -> [String] {
        var lines = ["oxbow \(command.name): \(command.summary)", ""] + usage(command)
        for paragraph in command.discussion { lines += [""] + Text.wrap(paragraph, width) }
        let options = command.allOptions
        let column = min(
            30,
            (command.positionals.map(\.placeholder.count) + options.map { label($0).count })
                .reduce(0, max) + 4
        )
        if !command.positionals.isEmpty {
            lines += ["", "Arguments:"]
            for positional in command.positionals {
                lines += row("  " + positional.placeholder, positional.help, column)
            }
        }
        lines += ["", "Options:"]
        for option in options { lines += row("  " + label(option), option.help, column) }
        if !command.examples.isEmpty { lines += ["", "Examples:"] }
        for example in command.examples { lines += ["  \(example.line)", "      \(example.what)"] }
        if !command.keys.isEmpty {
            lines += ["", "Keys of the JSON document:"]
            let keys = command.keys.map(\.path).joined(separator: ", ")
            lines += Text.wrap(keys, width - 2).map { "  " + $0 }
        }
        return lines
    }

    /// The usage line, broken between parameters, the rest under the first.
    private static func usage(_ command: Command) -> [String] {
        let start = "Usage: oxbow \(command.name)"
        let indent = String(repeating: " ", count: start.count)
        let required = command.options.filter(\.isRequired).map(\.usage)
        let optional = command.options.filter { !$0.isRequired }
            .map { "[\($0.usage)]" + ($0.repeats ? "..." : "") }
        var lines = [start]
        for part in command.positionals.map(\.usage) + required + optional {
            if (lines.last?.count ?? 0) + 1 + part.count > width { lines.append(indent) }
            lines[lines.count - 1] += " " + part
        }
        return lines
    }

    private static func label(_ option: any AnyOption) -> String {
        option.letter.map { "-\($0), \(option.usage)" } ?? option.usage
    }

    /// A name and its explanation, which begins at a column, on the next line where the name is
    /// too long.
    private static func row(_ name: String, _ text: String, _ column: Int) -> [String] {
        let indent = String(repeating: " ", count: column)
        var lines = Text.wrap(text, width - column).map { indent + $0 }
        if name.count + 2 > column || lines.isEmpty { return [name] + lines }
        lines[0] = name + lines[0].dropFirst(name.count)
        return lines
    }
}
