/// Takes `letter=value` attributes off the front of a SCRAM message. What it says of bad ones is
/// what PostgreSQL says.
struct SCRAMAttributes {
    let bytes: [UInt8]
    private(set) var offset = 0

    private static let comma = UInt8(ascii: ",")
    private static let equals = UInt8(ascii: "=")

    init(_ bytes: [UInt8]) throws(WireError) {
        guard !bytes.isEmpty else { throw Self.malformed("The message is empty.") }
        guard !bytes.contains(0) else {
            throw Self.malformed("Message length does not match input length.")
        }
        guard bytes.count <= WireLimits.saslMessage else {
            throw Self.malformed("The message is too long.")
        }
        self.bytes = bytes
    }

    static func malformed(_ detail: String) -> WireError {
        .violation("malformed SCRAM message", detail: detail)
    }

    var isAtEnd: Bool { offset == bytes.count }
    var next: UInt8? { isAtEnd ? nil : bytes[offset] }

    mutating func skip() { offset += 1 }

    mutating func expectComma() throws(WireError) {
        guard next == Self.comma else {
            throw Self.malformed("Comma expected, but found \(Self.show(next)).")
        }
        offset += 1
    }

    /// The value of the attribute with this letter, which must come next, and its comma, unless
    /// the message is over.
    mutating func value(_ letter: Unicode.Scalar) throws(WireError) -> [UInt8] {
        guard next == UInt8(ascii: letter) else {
            throw Self.malformed("Expected attribute \"\(letter)\" but found \(Self.show(next)).")
        }
        return try any().value
    }

    /// Whichever attribute comes next.
    mutating func any() throws(WireError) -> (letter: UInt8, value: [UInt8]) {
        guard let letter = next, Self.isLetter(letter) else {
            throw Self.malformed(
                "Attribute expected, but found invalid character \(Self.show(next))."
            )
        }
        offset += 1
        guard next == Self.equals else {
            let name = Character(Unicode.Scalar(letter))
            throw Self.malformed("Expected character \"=\" for attribute \"\(name)\".")
        }
        offset += 1
        let end = bytes[offset...].firstIndex(of: Self.comma) ?? bytes.count
        let value = Array(bytes[offset..<end])
        offset = end
        if !isAtEnd {
            offset += 1
            guard !isAtEnd else { throw Self.malformed("A comma stands at the end.") }
        }
        return (letter, value)
    }

    /// Passes over extensions, none of which is known.
    mutating func passExtensions() throws(WireError) {
        while !isAtEnd { _ = try any() }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    /// A byte as it may stand in a message to people.
    static func show(_ byte: UInt8?) -> String {
        guard let byte else { return "the end of the message" }
        guard (0x21...0x7E).contains(byte) else {
            return "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "\"\(Character(Unicode.Scalar(byte)))\""
    }

    /// Whether a nonce has only the characters that one may have.
    static func isNonce(_ bytes: [UInt8]) -> Bool {
        !bytes.isEmpty && bytes.count <= WireLimits.scramNonce
            && bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != comma }
    }
}
