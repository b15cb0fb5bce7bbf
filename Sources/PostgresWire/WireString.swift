/// A text of the protocol: bytes in whatever encoding the client chose, without a zero byte.
@usableFromInline
package struct WireString: Hashable, Sendable, ExpressibleByStringLiteral {
    package let bytes: [UInt8]

    @usableFromInline package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }
    @usableFromInline package init(stringLiteral value: String) { bytes = Array(value.utf8) }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The text for people, with what is not UTF-8 replaced.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The text where it is UTF-8.
    package var validText: String? { String(validating: bytes, as: UTF8.self) }
}

extension WireString: CustomStringConvertible {
    @usableFromInline package var description: String { text }
}
