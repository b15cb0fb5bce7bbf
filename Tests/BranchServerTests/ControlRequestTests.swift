import BranchServer
import Primitives
import Testing

@Suite struct ControlRequestTests {
    private static let request = ControlRequest(
        [Array("branch".utf8), Array("list".utf8), [0xFF, 0x20, 0x01], []],
        folder: Array("/tmp/x".utf8),
        actor: "alice",
        store: Array("data".utf8)
    )

    private func body(_ request: ControlRequest) throws -> [UInt8] {
        let whole = try #require(request.encoded())
        let length = try ControlRequest.bodyLength(header: Array(whole.prefix(14)))
        #expect(length == whole.count - 14)
        return Array(whole.dropFirst(14))
    }

    @Test func `a command is read as it was written`() throws {
        #expect(try ControlRequest(body: body(Self.request)) == Self.request)
        var other = Self.request
        other.store = nil
        #expect(try ControlRequest(body: body(other)) == other)
        other.arguments = []
        #expect(try ControlRequest(body: body(other)) == other)
    }

    @Test func `a command that is cut anywhere is refused`() throws {
        let body = try body(Self.request)
        for count in 0..<body.count {
            #expect(throws: Malformed.self) { try ControlRequest(body: Array(body.prefix(count))) }
        }
        #expect(throws: Malformed.self) { try ControlRequest(body: body + [0]) }
    }

    @Test func `an argument that no program can be given is refused`() throws {
        var bad = Self.request
        bad.arguments[0] = [1, 0, 2]
        #expect(throws: Malformed.self) { try ControlRequest(body: body(bad)) }
        bad = Self.request
        bad.folder = [0x2F, 0]
        #expect(throws: Malformed.self) { try ControlRequest(body: body(bad)) }
    }

    @Test func `what is too large is not sent, and not taken`() throws {
        var large = Self.request
        large.arguments = [[UInt8](repeating: 1, count: ControlRequest.mostBytes)]
        #expect(large.encoded() == nil)
        large.arguments = [[UInt8]](repeating: [], count: ControlRequest.mostArguments + 1)
        #expect(large.encoded() == nil)
        var header = Array("oxbowctl".utf8) + [1, 0]
        #expect(throws: Malformed.self) {
            try ControlRequest.bodyLength(header: header + [0, 0, 0, 0x7F])
        }
        header[8] = 2
        #expect(throws: Malformed.self) {
            try ControlRequest.bodyLength(header: header + [0, 0, 0, 0])
        }
    }

    @Test func `random bytes are refused, or are a command`() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<20_000 {
            let count = Int(random.next() % 64)
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() % 9) }
            _ = try? ControlRequest.bodyLength(header: bytes)
            if let request = try? ControlRequest(body: bytes) {
                #expect(request.encoded() != nil)
            }
            _ = try? ControlReply(kind: bytes.first ?? 0, body: bytes)
            _ = try? ControlReply.bodyLength(header: bytes)
        }
    }

    @Test func `an answer is read as it was written`() throws {
        for reply in [ControlReply.exit(0), .exit(2), .exit(-1), .refused("no"), .refused("")] {
            let bytes = reply.encoded
            let length = try ControlReply.bodyLength(header: Array(bytes.prefix(5)))
            #expect(length == bytes.count - 5)
            #expect(try ControlReply(kind: bytes[0], body: Array(bytes.dropFirst(5))) == reply)
        }
    }
}
