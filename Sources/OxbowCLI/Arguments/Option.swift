/// What is wrong with how the command was called, and what would be right: one line.
package struct Misuse: Error, Equatable {
    package let message: String

    package init(_ message: String) { self.message = message }
}

/// Something that a command takes after its name. Declared once: reading, checking and help come
/// from the same value.
package protocol Parameter: Sendable {
    /// What help calls the value: `NAME`.
    var placeholder: String { get }
    /// One sentence, without a full stop.
    var help: String { get }
    /// Reads a value, or says what would be one.
    func read(_ text: String) throws(Misuse) -> any Sendable
}

/// An option: `--name VALUE`, or `--name` alone.
package protocol AnyOption: Parameter {
    /// Without the dashes.
    var name: String { get }
    /// One letter for it, without the dash.
    var letter: Character? { get }
    var isFlag: Bool { get }
    var isRequired: Bool { get }
    var repeats: Bool { get }
}

extension AnyOption {
    /// How help writes it: `--from BRANCH[@POINT]`.
    package var usage: String { isFlag ? "--\(name)" : "--\(name) \(placeholder)" }
}

/// An option with a value.
package struct Option<Value: Sendable>: AnyOption {
    package let name: String
    package let letter: Character?
    package let placeholder: String
    package let help: String
    package let isRequired: Bool
    package let repeats: Bool
    private let parse: @Sendable (String) throws(Misuse) -> Value

    package init(
        _ name: String,
        letter: Character? = nil,
        _ placeholder: String,
        isRequired: Bool = false,
        repeats: Bool = false,
        help: String,
        parse: @escaping @Sendable (String) throws(Misuse) -> Value
    ) {
        self.name = name
        self.letter = letter
        self.placeholder = placeholder
        self.help = help
        self.isRequired = isRequired
        self.repeats = repeats
        self.parse = parse
    }

    package var isFlag: Bool { false }

    package func read(_ text: String) throws(Misuse) -> any Sendable { try parse(text) }
}

/// An option without a value.
package struct Flag: AnyOption {
    package let name: String
    package let letter: Character?
    package let help: String

    package init(_ name: String, letter: Character? = nil, help: String) {
        self.name = name
        self.letter = letter
        self.help = help
    }

    package var placeholder: String { "" }
    package var isFlag: Bool { true }
    package var isRequired: Bool { false }
    package var repeats: Bool { false }

    package func read(_ text: String) throws(Misuse) -> any Sendable { true }
}

/// A value that stands alone.
package struct Positional<Value: Sendable>: AnyPositional {
    package let placeholder: String
    package let help: String
    package let isOptional: Bool
    package let takesRest: Bool
    private let parse: @Sendable (String) throws(Misuse) -> Value

    package init(
        _ placeholder: String,
        isOptional: Bool = false,
        takesRest: Bool = false,
        help: String,
        parse: @escaping @Sendable (String) throws(Misuse) -> Value
    ) {
        self.placeholder = placeholder
        self.isOptional = isOptional
        self.takesRest = takesRest
        self.help = help
        self.parse = parse
    }

    package func read(_ text: String) throws(Misuse) -> any Sendable { try parse(text) }
}

package protocol AnyPositional: Parameter {
    var isOptional: Bool { get }
    /// Whether it takes all that follows too.
    var takesRest: Bool { get }
}

extension AnyPositional {
    /// How help writes it: `NAME`, `[DIR]`, `[COMMAND ...]`.
    package var usage: String {
        let inner = takesRest ? "\(placeholder) ..." : placeholder
        return isOptional ? "[\(inner)]" : inner
    }
}
