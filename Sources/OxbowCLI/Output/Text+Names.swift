extension Text {
    /// A name or a path, for one line of a terminal: as it is where it can be shown, or else
    /// quoted as shells read it back.
    package static func name(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self), isPlain(text) { return text }
        var quoted = "$'"
        var rest = bytes[...]
        while let first = rest.first {
            if let (scalar, count) = shownScalar(of: rest) {
                quoted.unicodeScalars.append(scalar)
                rest.removeFirst(count)
            } else {
                quoted += escape(first)
                rest.removeFirst()
            }
        }
        return quoted + "'"
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("$'") && text.first != " " && text.last != " "
            && text.unicodeScalars.allSatisfy(isShown)
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
            .unassigned:
            false
        default: true
        }
    }

    private static func shownScalar(of bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        for count in 1...4 {
            guard let text = String(validating: bytes.prefix(count), as: UTF8.self),
                let scalar = text.unicodeScalars.first
            else { continue }
            return isShown(scalar) && scalar != "'" && scalar != "\\" ? (scalar, count) : nil
        }
        return nil
    }

    private static func escape(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\n"): return "\\n"
        case UInt8(ascii: "\t"): return "\\t"
        case UInt8(ascii: "\r"): return "\\r"
        case UInt8(ascii: "'"): return "\\'"
        case UInt8(ascii: "\\"): return "\\\\"
        default:
            let digits = String(byte, radix: 16)
            return "\\x" + (digits.count < 2 ? "0" : "") + digits
        }
    }
}

extension JSON {
    /// A name as text, and its bytes beside it where it is none.
    static func name(_ bytes: [UInt8]) -> [(String, JSON)] {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        return [
            ("name", .string(String(decoding: bytes, as: UTF8.self))),
            ("base64", isText ? nil : .string(Base64.encode(bytes))),
        ]
    }
}
