import Primitives

/// A message with all of its body.
package struct Frame: Equatable, Sendable {
    package let type: UInt8
    package let body: [UInt8]

    package init(type: UInt8, body: [UInt8]) {
        self.type = type
        self.body = body
    }
}

/// Collects whole messages, for the exchanges before a session, which are short and bounded.
///
/// What has arrived and is not taken stays here, and is never more than what was handed in since
/// the last message was taken: whoever feeds it stops while there is something to take.
package struct FrameReader: Sendable {
    private var scanner: FrameScanner
    private var buffer: [UInt8] = []
    private var start = 0
    private var header: FrameHeader?
    private var body: [UInt8] = []

    package init(_ rule: LengthRule) { scanner = FrameScanner(rule) }

    package mutating func append(_ bytes: [UInt8]) {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Bytes that are here and belong to no message that was taken.
    package var hasBuffered: Bool { start < buffer.count || header != nil || !isAtBoundary }

    private var isAtBoundary: Bool { scanner.isAtBoundary }

    /// The first byte that is not taken, where no message has begun before it.
    package var firstByte: UInt8? {
        header == nil && isAtBoundary && start < buffer.count ? buffer[start] : nil
    }

    /// The next message, if all of it is here.
    package mutating func next() throws(WireError) -> Frame? {
        let bytes = buffer
        while true {
            if let header, scanner.bodyRemaining == 0 {
                invariant(body.count == header.bodyCount, "a body of \(body.count) bytes")
                let frame = Frame(type: header.type, body: body)
                self.header = nil
                body = []
                return frame
            }
            // Safe: every bit pattern is a byte.
            guard let event = try unsafe scanner.next(bytes.span.bytes, at: &start) else {
                return nil
            }
            switch event {
            case .header(let header): self.header = header
            case .body(let range): body.append(contentsOf: bytes[range])
            }
        }
    }

    /// Goes on under another rule, where no message has begun.
    package mutating func use(_ rule: LengthRule) {
        invariant(header == nil && isAtBoundary, "a rule changed within a message")
        scanner.rule = rule
    }

    /// What is left, for whoever reads on from here.
    package mutating func takeRest() -> [UInt8] {
        invariant(header == nil && isAtBoundary, "the rest taken within a message")
        defer {
            buffer = []
            start = 0
        }
        return Array(buffer[start...])
    }
}
