/// The type and the size of one message.
package struct FrameHeader: Equatable, Sendable {
    /// 0 for a packet that has no type.
    package let type: UInt8
    /// The bytes after the length.
    package let bodyCount: Int
    package init(type: UInt8, bodyCount: Int) {
        self.type = type
        self.bodyCount = bodyCount
    }
}

/// Finds where messages begin and end in bytes that arrive in pieces of any size.
///
/// A message is `type (1, none before a session) | length (4, big-endian, itself included) | body`.
/// The scanner keeps at most a header's bytes, so that its memory does not depend on what a peer
/// sends; bodies are handed on as the ranges in which they arrive.
package struct FrameScanner: Sendable {
    package enum Event: Equatable, Sendable {
        /// A message begins. One without a body is over with that.
        case header(FrameHeader)
        /// A part of its body, never empty.
        case body(Range<Int>)
    }

    /// What lengths are taken. Changed between messages only.
    package var rule: LengthRule
    /// What is still to come of the message that has begun.
    package private(set) var bodyRemaining = 0
    private var partial: UInt64 = 0
    private var partialCount = 0

    package init(_ rule: LengthRule) { self.rule = rule }

    /// Whether the bytes so far end where a message does.
    package var isAtBoundary: Bool { bodyRemaining == 0 && partialCount == 0 }

    /// So many bytes can be taken without one of another message; 0 at a boundary.
    package var bytesOfMessage: Int {
        if bodyRemaining > 0 || partialCount == 0 { return bodyRemaining }
        return (rule.isTyped ? 5 : 4) - partialCount
    }

    /// What comes next in `bytes` from `offset` on, which moves; nil where the bytes are used up.
    package mutating func next(
        _ bytes: RawSpan,
        at offset: inout Int
    ) throws(WireError) -> Event? {
        let available = bytes.byteCount - offset
        guard available > 0 else { return nil }
        if bodyRemaining > 0 {
            let count = min(bodyRemaining, available)
            defer { offset += count }
            bodyRemaining -= count
            return .body(offset..<offset + count)
        }
        guard partialCount == 0, rule.isTyped, available >= 5 else {
            return try collect(bytes, at: &offset)
        }
        // Safe: five bytes are there.
        let type = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        let length = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset + 1,
            as: UInt32.self
        )
        let header = try header(type, UInt32(bigEndian: length))
        offset += 5
        return .header(header)
    }

    /// Puts a header together that arrives in pieces. A type that does not exist is refused
    /// before its length has come.
    private mutating func collect(
        _ bytes: RawSpan,
        at offset: inout Int
    ) throws(WireError) -> Event? {
        let size = rule.isTyped ? 5 : 4
        while partialCount < size, offset < bytes.byteCount {
            // Safe: the index is below the count.
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            if partialCount == 0, rule.isTyped { _ = try largest(byte) }
            partial = partial << 8 | UInt64(byte)
            partialCount += 1
            offset += 1
        }
        guard partialCount == size else { return nil }
        let header = try header(
            UInt8(truncatingIfNeeded: partial >> 32),
            UInt32(truncatingIfNeeded: partial)
        )
        partial = 0
        partialCount = 0
        return .header(header)
    }
    private mutating func header(_ type: UInt8, _ length: UInt32) throws(WireError) -> FrameHeader {
        // The type first, as where its length has not come yet.
        let largest = try largest(type)
        // As a signed number it is negative where this is above 2^31; neither is in the range.
        let length = Int(length)
        guard length >= rule.smallest, length <= largest else {
            throw rule == .startup
                ? .violation("invalid length of startup packet") : .invalidLength()
        }
        bodyRemaining = length - 4
        return FrameHeader(type: rule.isTyped ? type : 0, bodyCount: length - 4)
    }
    private func largest(_ type: UInt8) throws(WireError) -> Int {
        guard let largest = rule.largest(type) else {
            throw rule == .frontend
                ? .violation("invalid frontend message type \(type)")
                : .violation("invalid backend message type \(type)")
        }
        return largest
    }
}
