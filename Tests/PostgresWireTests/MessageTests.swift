import PostgresWire
import Primitives
import TestSupport
import Testing

@Suite struct MessageTests {
    @Test(arguments: FrontendType.allCases)
    func `what a frontend says reads back as written`(type: FrontendType) throws {
        var random = SeededRandom(test: UInt64(type.rawValue) + 9_000)
        for _ in 0..<300 {
            let message = random.frontendMessage(type)
            let bytes = try [UInt8](message)
            let frame = try #require(try frames(bytes, .frontend).first)
            let decoded = try FrontendMessage(frame)
            #expect(decoded == message)
            #expect(try [UInt8](decoded) == bytes)
        }
    }

    @Test(arguments: BackendType.allCases)
    func `what a backend says reads back as written`(type: BackendType) throws {
        var random = SeededRandom(test: UInt64(type.rawValue) + 9_300)
        for _ in 0..<300 {
            let message = random.backendMessage(type)
            let bytes = try [UInt8](message)
            let frame = try #require(try frames(bytes, .backend).first)
            let decoded = try BackendMessage(frame)
            #expect(decoded == message)
            #expect(try [UInt8](decoded) == bytes)
        }
    }

    @Test func `what comes before a session reads back as written`() throws {
        var random = SeededRandom(test: 9_600)
        for _ in 0..<2_000 {
            let packet = random.startupPacket()
            let bytes = try [UInt8](packet)
            let frame = try #require(try frames(bytes, .startup).first)
            #expect(try StartupPacket(decoding: frame.body) == packet)
        }
    }

    /// Messages whose length the type does not fix: cut anywhere, they are never taken for whole.
    @Test func `a body that is cut short is an error, or another message`() throws {
        var random = SeededRandom(test: 9_601)
        for _ in 0..<400 {
            let front = random.frontendMessage(FrontendType.allCases[random.below(14)])
            let frame = try #require(try frames(try [UInt8](front), .frontend).first)
            for count in 0..<frame.body.count {
                let cut = Frame(type: frame.type, body: Array(frame.body[..<count]))
                #expect((try? FrontendMessage(cut)) != front)
            }
            let back = random.backendMessage(BackendType.allCases[random.below(24)])
            let answer = try #require(try frames(try [UInt8](back), .backend).first)
            for count in 0..<answer.body.count {
                let cut = Frame(type: answer.type, body: Array(answer.body[..<count]))
                #expect((try? BackendMessage(cut)) != back)
            }
        }
    }

    @Test func `no change of a byte makes a decoder trap, and what it takes it writes again`()
        throws
    {
        var random = SeededRandom(test: 9_602)
        for _ in 0..<150 {
            let front = random.frontendMessage(FrontendType.allCases[random.below(14)])
            try mutate(try #require(try frames(try [UInt8](front), .frontend).first)) { frame in
                guard let message = try? FrontendMessage(frame) else { return nil }
                return try [UInt8](message)
            }
            let back = random.backendMessage(BackendType.allCases[random.below(24)])
            try mutate(try #require(try frames(try [UInt8](back), .backend).first)) { frame in
                guard let message = try? BackendMessage(frame) else { return nil }
                return try [UInt8](message)
            }
        }
    }

    private func mutate(_ frame: Frame, _ recode: (Frame) throws -> [UInt8]?) throws {
        for place in frame.body.indices {
            for change in [0x01, 0x80, 0xFF] as [UInt8] {
                var body = frame.body
                body[place] ^= change
                if let bytes = try recode(Frame(type: frame.type, body: body)) {
                    #expect(Array(bytes[5...]) == body)
                }
            }
        }
    }

    @Test func `bytes after a message are an invalid format`() throws {
        for (type, body) in [("S", "00"), ("H", "01"), ("X", "00"), ("c", "00"), ("Q", "610062")] {
            let frame = Frame(type: Array(type.utf8)[0], body: bytes(hex: body))
            let expected = WireError(.protocolViolation, "invalid message format")
            #expect(throws: expected) { try FrontendMessage(frame) }
        }
    }

    @Test(arguments: [
        ("Q", "6162", "invalid string in message"),
        ("Q", "", "invalid string in message"),
        ("D", "5861", "invalid string in message"),
        ("D", "586100", "invalid DESCRIBE message subtype 88"),
        ("C", "586100", "invalid CLOSE message subtype 88"),
        ("E", "0000", "insufficient data left in message"),
        ("P", "00000005", "insufficient data left in message"),
        ("B", "00000002000100", "insufficient data left in message"),
        ("B", "000000020000000000000000", "bind message has 2 parameter formats but 0 parameters"),
        ("B", "000000000001FFFFFFFE0000", "insufficient data left in message"),
        ("B", "0000000000017FFFFFFF0000", "insufficient data left in message"),
        ("B", "00000000FFFF00000000", "insufficient data left in message"),
        ("z", "", "invalid frontend message type 122"),
    ])
    func `PostgreSQL's words are used for what it refuses`(
        type: String,
        body: String,
        message: String
    ) throws {
        let frame = Frame(type: Array(type.utf8)[0], body: bytes(hex: body))
        #expect(throws: WireError(.protocolViolation, message)) { try FrontendMessage(frame) }
    }

    @Test func `a writer refuses what does not fit, and writes nothing of it`() throws {
        var writer = WireWriter()
        try FrontendMessage.sync.encode(into: &writer)
        let before = writer.bytes
        let refused: [(FrontendMessage, SQLState)] = [
            (.query("a\0b"), .characterNotInRepertoire),
            (.copyFail(WireString([UInt8](repeating: 1, count: 10_000))), .programLimitExceeded),
            (
                .bind(
                    Bind(
                        portal: "",
                        statement: "",
                        parameters: .init(repeating: nil, count: 65_536)
                    )
                ), .programLimitExceeded
            ),
        ]
        for (message, state) in refused {
            let error = #expect(throws: WireError.self) { try message.encode(into: &writer) }
            #expect(error?.state == state)
            #expect(writer.bytes == before)
        }
        for (count, fits) in [(95, true), (96, true), (97, false)] {
            var small = WireWriter()
            let written: Void? = try? small.message(0x64, limit: 100) { body in
                body.append(raw: [UInt8](repeating: 0, count: count))
            }
            #expect((written != nil) == fits)
            #expect(small.bytes.count == (fits ? count + 5 : 0))
        }
    }

    @Test func `a report without a SQLSTATE is taken, and has none`() throws {
        let report = ServerReport(fields: [.init(0x4D, "boom")])
        let frame = try #require(try frames(try [UInt8](.error(report)), .backend).first)
        guard case .error(let decoded) = try BackendMessage(frame) else {
            Issue.record("no error")
            return
        }
        #expect(decoded.sqlState == nil)
        #expect(decoded[.message] == "boom")
        #expect(ServerReport(fields: [.init(0x43, "08p01")]).sqlState == nil)
        #expect(ServerReport(closingWith: .violation("x")).sqlState == "08P01")
    }

    @Test(arguments: Recording.names)
    func `what PostgreSQL sends is written again as it sent it`(name: String) throws {
        for connection in try Recording.connections(name) {
            for frame in try frames(connection.all(.backend), .backend) {
                let message = try BackendMessage(frame)
                #expect(Array(try [UInt8](message)[5...]) == frame.body)
            }
            let client = connection.all(.frontend)
            let first = Int(client[2]) * 256 + Int(client[3])
            guard case .startup = try StartupPacket(decoding: Array(client[4..<first])) else {
                Issue.record("\(name) begins otherwise")
                continue
            }
            for frame in try frames(Array(client[first...]), .frontend) {
                let message = try FrontendMessage(frame)
                #expect(Array(try [UInt8](message)[5...]) == frame.body)
            }
        }
    }
}
