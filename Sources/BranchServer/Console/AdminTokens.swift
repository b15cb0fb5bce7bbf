/// The words of a statement to the console.
enum AdminToken: Hashable {
    /// A word or number outside quotes, in small letters.
    case word(String)
    /// Within double quotes, as it stands.
    case name(String)
    /// Within single quotes.
    case text(String)
    case symbol(Character)

    /// What is not closed, or too long.
    struct Invalid: Error { let message: String }

    /// A number or a text, as it is given back.
    var plainValue: String? {
        switch self {
        case .word(let number): Int(number) == nil ? nil : number
        case .text(let text): text
        case .name, .symbol: nil
        }
    }

    private static let largestCount = 1_000

    /// Splits a text, leaving out white space and comments.
    static func split(_ text: String) throws(Invalid) -> [AdminToken] {
        var tokens: [AdminToken] = []
        var rest = Substring(text)
        while let first = rest.first {
            guard tokens.count < largestCount else {
                throw Invalid(message: "the statement is too long")
            }
            if first.isWhitespace {
                rest.removeFirst()
            } else if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                try skipComment(&rest)
            } else if first == "'" {
                tokens.append(.text(try quoted(&rest, first)))
            } else if first == "\"" {
                tokens.append(.name(try quoted(&rest, first)))
            } else if isWord(first) {
                let word = rest.prefix(while: isWord)
                rest = rest[word.endIndex...]
                tokens.append(.word(word.lowercased()))
            } else {
                tokens.append(.symbol(rest.removeFirst()))
            }
        }
        return tokens
    }

    /// The `-` as well, since names of branches have it, and what stands in numbers.
    private static func isWord(_ letter: Character) -> Bool {
        letter.isLetter || letter.isNumber || letter == "_" || letter == "-" || letter == "."
    }

    /// They stand within each other.
    private static func skipComment(_ rest: inout Substring) throws(Invalid) {
        var depth = 0
        repeat {
            if rest.hasPrefix("/*") || rest.hasPrefix("*/") {
                depth += rest.hasPrefix("/*") ? 1 : -1
                rest = rest.dropFirst(2)
            } else if rest.popFirst() == nil {
                throw Invalid(message: "unterminated /* comment")
            }
        } while depth > 0
    }

    private static func quoted(
        _ rest: inout Substring,
        _ quote: Character
    ) throws(Invalid) -> String {
        var value = ""
        rest.removeFirst()
        while let letter = rest.popFirst() {
            if letter != quote {
                value.append(letter)
            } else if rest.first == quote {
                value.append(rest.removeFirst())
            } else {
                return value
            }
        }
        throw Invalid(message: "unterminated quoted string")
    }
}
