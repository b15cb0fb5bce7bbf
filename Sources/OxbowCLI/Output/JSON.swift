/// A JSON value, its keys in the order in which they were given.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    package static func == (left: JSON, right: JSON) -> Bool { left.text == right.text }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByIntegerLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements) }
    package init(integerLiteral value: Int64) { self = .integer(value) }

    package init(_ value: some CustomStringConvertible) { self = .string(value.description) }
    package init(_ value: Int) { self = .integer(Int64(value)) }
    package init(_ value: UInt64) { self = .unsigned(value) }
    package init(_ value: Bool) { self = .bool(value) }
    package init(_ value: (some CustomStringConvertible)?) {
        self = value.map { .string($0.description) } ?? .null
    }
    package init(_ labels: [String: String]) {
        self = .object(labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }
}

extension JSON {
    /// The value on one line.
    package var text: String {
        var text = ""
        write(to: &text, indent: nil)
        return text
    }

    /// The value over several lines, for people.
    package var indentedText: String {
        var text = ""
        write(to: &text, indent: 0)
        return text
    }

    private func write(to text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .unsigned(let value): text += String(value)
        case .string(let value): Self.quote(value, to: &text)
        case .array(let values):
            Self.write("[", "]", values, to: &text, indent) { value, text, inner in
                value.write(to: &text, indent: inner)
            }
        case .object(let pairs):
            Self.write("{", "}", pairs, to: &text, indent) { pair, text, inner in
                Self.quote(pair.0, to: &text)
                text += indent == nil ? ":" : ": "
                pair.1.write(to: &text, indent: inner)
            }
        }
    }

    private static func write<Element>(
        _ open: String,
        _ close: String,
        _ elements: [Element],
        to text: inout String,
        _ indent: Int?,
        _ body: (Element, inout String, Int?) -> Void
    ) {
        text += open
        let inner = indent.map { $0 + 2 }
        for (place, element) in elements.enumerated() {
            if place > 0 { text += "," }
            newLine(inner, &text)
            body(element, &text, inner)
        }
        if !elements.isEmpty { newLine(indent, &text) }
        text += close
    }

    private static func newLine(_ indent: Int?, _ text: inout String) {
        guard let indent else { return }
        text += "\n" + String(repeating: " ", count: indent)
    }

    private static func quote(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
