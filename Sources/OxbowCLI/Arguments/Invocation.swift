/// A command as it was called, its values read and checked.
package struct Invocation {
    package let command: Command
    package let output: Output
    package let environment: Environment
    private var options: [String: [any Sendable]] = [:]
    private var positionals: [String: [any Sendable]] = [:]

    package init(_ command: Command, output: Output, environment: Environment) {
        self.command = command
        self.output = output
        self.environment = environment
    }

    package mutating func set(_ option: any AnyOption, _ value: any Sendable) {
        options[option.name, default: []].append(placed(value))
    }

    package mutating func set(_ positional: any AnyPositional, _ value: any Sendable) {
        positionals[positional.placeholder, default: []].append(placed(value))
    }

    /// The one place in which paths of this machine come to mean what they meant to who wrote them.
    private func placed(_ value: any Sendable) -> any Sendable {
        (value as? LocalPath).map(environment.place) ?? value
    }

    package func has(_ option: any AnyOption) -> Bool { options[option.name] != nil }

    package func has(_ positional: any AnyPositional) -> Bool {
        positionals[positional.placeholder] != nil
    }

    package subscript(_ flag: Flag) -> Bool { has(flag) }

    package subscript<Value>(_ option: Option<Value>) -> Value? {
        options[option.name]?.last as? Value
    }

    package func all<Value>(_ option: Option<Value>) -> [Value] {
        (options[option.name] ?? []).compactMap { $0 as? Value }
    }

    package subscript<Value>(_ positional: Positional<Value>) -> Value? {
        positionals[positional.placeholder]?.first as? Value
    }

    package func all<Value>(_ positional: Positional<Value>) -> [Value] {
        (positionals[positional.placeholder] ?? []).compactMap { $0 as? Value }
    }

    /// A value that the parser has made sure of.
    package func value<Value>(_ positional: Positional<Value>) throws(Misuse) -> Value {
        guard let value = self[positional] else {
            throw Misuse("\(positional.placeholder) is missing: \(command.usage)")
        }
        return value
    }

    /// A value that the parser has made sure of.
    package func value<Value>(_ option: Option<Value>) throws(Misuse) -> Value {
        guard let value = self[option] else {
            throw Misuse("--\(option.name) is missing: \(command.usage)")
        }
        return value
    }

    package var wantsJSON: Bool { self[Globals.json] }
}

/// What comes from outside beside the arguments.
package struct Environment: Sendable {
    package let store: String?
    package let actor: String
    /// What relative paths begin from; nil where it is the process's own folder.
    package var folder: [UInt8]?
    package var input = Input()
    /// The server that does the command; nil where the command opens the store itself.
    package var host: StoreHost?

    package init(store: String?, actor: String) {
        self.store = store
        self.actor = actor
    }

    /// A path as the system is to be asked for it.
    package func place(_ path: LocalPath) -> LocalPath {
        folder.map { path.based(on: $0) } ?? path
    }
}
