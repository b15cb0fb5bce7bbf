/// Builds messages in an array that grows. What does not fit into the protocol is an error, never a
/// trap and never a length that wraps: then the writer is as it was before the message.
@usableFromInline
package struct WireWriter: Sendable {
    @usableFromInline package var bytes: [UInt8] = []

    @inlinable package init() {}

    @inlinable
    package mutating func append(_ value: UInt8) { bytes.append(value) }

    @inlinable
    package mutating func append<Value: FixedWidthInteger>(integer value: Value) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    @inlinable
    package mutating func append(raw: [UInt8]) { bytes.append(contentsOf: raw) }

    /// A text and its zero byte.
    package mutating func append(string: WireString) throws(WireError) {
        guard !string.bytes.contains(0) else {
            throw WireError(.characterNotInRepertoire, "a text with a zero byte in it")
        }
        bytes.append(contentsOf: string.bytes)
        bytes.append(0)
    }

    /// A value with its length, or -1 for null.
    package mutating func append(value: [UInt8]?) throws(WireError) {
        guard let value else { return append(integer: Int32(-1)) }
        guard value.count <= WireLimits.largeMessage else { throw Self.tooLarge(value.count) }
        append(integer: Int32(value.count))
        bytes.append(contentsOf: value)
    }

    /// A count in two bytes.
    package mutating func append(count: Int, of what: StaticString) throws(WireError) {
        guard let short = UInt16(exactly: count) else {
            throw WireError(.programLimitExceeded, "\(count) \(what) do not fit in a message")
        }
        append(integer: short)
    }

    /// A message: its type, its length and what `body` appends.
    package mutating func message(
        _ type: UInt8?,
        limit: Int = WireLimits.largeMessage,
        _ body: (inout WireWriter) throws(WireError) -> Void = { _ throws(WireError) in }
    ) throws(WireError) {
        let start = bytes.count
        if let type { bytes.append(type) }
        let place = bytes.count
        append(integer: UInt32(0))
        do throws(WireError) {
            try body(&self)
            let length = bytes.count - place
            guard length <= limit else { throw Self.tooLarge(length) }
            for index in 0..<4 {
                bytes[place + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
            }
        } catch {
            bytes.removeSubrange(start...)
            throw error
        }
    }

    private static func tooLarge(_ length: Int) -> WireError {
        WireError(.programLimitExceeded, "a message of \(length) bytes is too large to send")
    }
}
