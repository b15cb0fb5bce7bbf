/// Reads a command line against what the commands declare.
///
/// Options may stand anywhere, as `--name value` or `--name=value`; `--` ends them.
package struct Parser {
    /// What a command line asks for.
    package enum Request {
        case run(Invocation)
        /// Help for a command, a group, or, with no words, for it all.
        case help([String])
        case version
    }

    private let table: CommandTable
    private let output: Output
    private let environment: Environment

    package init(_ table: CommandTable, output: Output, environment: Environment) {
        self.table = table
        self.output = output
        self.environment = environment
    }

    package func parse(_ arguments: [String]) throws(Misuse) -> Request {
        let (path, rest) = try Self.leadingWords(arguments)
        let asksForHelp = rest.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
        guard let first = path.first else {
            if asksForHelp { return .help([]) }
            if rest.contains("--version") { return .version }
            if let unknown = rest.first(where: { Self.isOption($0) && !Self.isGlobal($0) }) {
                throw Misuse(
                    "\(unknown) stands before any command"
                        + hint(unknown, among: Self.globals.map { "--\($0.name)" })
                )
            }
            throw Misuse("a command is missing: `oxbow help` lists them")
        }
        let (command, words) = try find(first, Array(path.dropFirst()), asksForHelp)
        guard let command else { return .help([first]) }
        if asksForHelp { return .help(command.path) }
        return .run(try read(command, words + rest))
    }

    /// The command that the words begin with, and the words after its name; nil where help is
    /// asked for a group.
    private func find(
        _ first: String,
        _ words: [String],
        _ asksForHelp: Bool
    ) throws(Misuse) -> (Command?, [String]) {
        if let command = table.command([first]) { return (command, words) }
        let group = table.commands(of: first)
        guard !group.isEmpty else {
            throw Misuse(
                "there is no command \"\(first)\"" + hint(first, among: table.firstWords)
            )
        }
        let names = group.map { $0.path[1] }
        guard let second = words.first else {
            if asksForHelp { return (nil, []) }
            throw Misuse(
                "\(first) what? Say one of \(Self.list(names)): oxbow \(first) \(names[0])"
            )
        }
        guard let command = table.command([first, second]) else {
            throw Misuse(
                "there is no command \"\(first) \(second)\"" + hint(second, among: names)
            )
        }
        return (command, Array(words.dropFirst()))
    }

    /// Splits off the words in front: the name of the command. Options that all commands take may
    /// stand before and between them.
    private static func leadingWords(
        _ arguments: [String]
    ) throws(Misuse) -> (path: [String], rest: [String]) {
        var words: [String] = []
        var options: [String] = []
        var index = 0
        while index < arguments.count, words.count < 2, arguments[index] != "--" {
            let argument = arguments[index]
            if !isOption(argument) {
                words.append(argument)
            } else {
                options.append(argument)
                let takesValue = argument == "--store" || argument == "-s"
                if takesValue, index + 1 < arguments.count {
                    index += 1
                    options.append(arguments[index])
                } else if !takesValue, !isGlobal(argument) {
                    // Whether a value follows, only the command knows.
                    index += 1
                    break
                }
            }
            index += 1
        }
        return (words, options + arguments[index...])
    }

    private static let globals: [any AnyOption] = [
        Globals.store, Globals.json, Globals.help, Globals.version,
    ]

    private static func isGlobal(_ argument: String) -> Bool {
        globals.contains { option in
            argument == "--\(option.name)" || argument.hasPrefix("--\(option.name)=")
                || option.letter.map { argument == "-\($0)" } == true
        }
    }

    static func isOption(_ argument: String) -> Bool {
        argument.count > 1 && argument.hasPrefix("-")
    }

    private func read(_ command: Command, _ arguments: [String]) throws(Misuse) -> Invocation {
        var invocation = Invocation(command, output: output, environment: environment)
        var values: [String] = []
        var rest = arguments[...]
        var trailing: ArraySlice<String> = []
        while let argument = rest.popFirst() {
            if argument == "--" {
                trailing = rest
                break
            }
            if Self.isOption(argument) {
                try readOption(argument, &rest, &invocation)
            } else {
                values.append(argument)
            }
        }
        try readPositionals(values, trailing, &invocation)
        for option in command.options where option.isRequired && !invocation.has(option) {
            throw Misuse("\(command.name) needs \(option.usage): \(command.usage)")
        }
        return invocation
    }

    private func readOption(
        _ argument: String,
        _ rest: inout ArraySlice<String>,
        _ invocation: inout Invocation
    ) throws(Misuse) {
        let parts = argument.unicodeScalars.split(
            separator: "=",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let name = String(parts[0])
        let options = invocation.command.allOptions
        guard
            let option = options.first(where: { option in
                "--\(option.name)" == name || option.letter.map { "-\($0)" == argument } == true
            })
        else { throw unknown(name, invocation.command) }
        if invocation.has(option), !option.repeats, !option.isFlag {
            throw Misuse("--\(option.name) is given twice: say it once")
        }
        if option.isFlag {
            guard parts.count == 1 else {
                throw Misuse("--\(option.name) takes no value: leave out \"=\(String(parts[1]))\"")
            }
            invocation.set(option, try option.read(""))
            return
        }
        let value: String
        if parts.count == 2 {
            value = String(parts[1])
        } else if let next = rest.first, !next.hasPrefix("--") {
            value = next
            rest.removeFirst()
        } else {
            throw Misuse("--\(option.name) needs a value: \(option.usage)")
        }
        invocation.set(option, try option.read(value))
    }

    private func unknown(_ name: String, _ command: Command) -> Misuse {
        if name == "--store", !command.usesStore {
            return Misuse("\(command.name) works on no store: leave out --store")
        }
        let names = command.allOptions.map { "--\($0.name)" }
        return Misuse("\(command.name) has no option \(name)" + hint(name, among: names, command))
    }

    /// Where the last positional takes all that is left, what stands behind `--` is for it, and for
    /// none before it that can be left out.
    private func readPositionals(
        _ values: [String],
        _ trailing: ArraySlice<String>,
        _ invocation: inout Invocation
    ) throws(Misuse) {
        let command = invocation.command
        let takesRest = command.positionals.last?.takesRest == true
        var rest = takesRest ? values[...] : (values + trailing)[...]
        var behind = takesRest ? trailing : []
        for positional in command.positionals {
            var taken: [String] = []
            if positional.takesRest {
                taken = Array(rest + behind)
                rest = []
            } else if let value = rest.popFirst() {
                taken = [value]
            } else if !positional.isOptional, let value = behind.popFirst() {
                taken = [value]
            }
            guard !taken.isEmpty || positional.isOptional else {
                throw Misuse("\(positional.placeholder) is missing: \(command.usage)")
            }
            for value in taken { invocation.set(positional, try positional.read(value)) }
        }
        if let extra = rest.first {
            throw Misuse("\"\(extra)\" is one argument too many: \(command.usage)")
        }
    }

    private func hint(_ word: String, among known: [String], _ command: Command? = nil) -> String {
        if let near = Suggestion.nearest(to: word, among: known) {
            return "; did you mean \(near)?"
        }
        let help = (["oxbow help"] + (command.map(\.path) ?? [])).joined(separator: " ")
        return ": `\(help)` lists what there is"
    }

    static func list(_ words: [String]) -> String {
        words.count < 2
            ? words.joined()
            : words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
    }
}
