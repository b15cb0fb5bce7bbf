import PostgresWire
import Primitives
import TestSupport
import Testing

/// What both ends of a log-in say to each other, without a socket between.
struct LoginBench {
    static let password = Array("pencil".utf8)
    static let hash = [UInt8](repeating: 9, count: 32)
    static let startup = StartupMessage(
        .v3,
        [WireParameter("user", "alice"), WireParameter("database", "app@pr-1")]
    )

    static func configuration(
        offersTLS: Bool = true,
        requiresTLS: Bool = false
    ) -> ServerHandshake.Configuration {
        ServerHandshake.Configuration(
            offersTLS: offersTLS,
            requiresTLS: requiresTLS,
            mockSecret: [UInt8](repeating: 5, count: 32)
        )
    }

    static func verifier() throws -> SCRAMVerifier {
        try SCRAMVerifier(password: password, salt: [1, 2, 3, 4], iterations: 4_096)
    }

    static let random = [UInt8](repeating: 1, count: 18)
    static let key = CancelKey(processID: 7, secret: [1, 2, 3, 4])
}

extension ServerHandshake {
    mutating func actions() -> [Action] {
        var actions: [Action] = []
        while let action = next() { actions.append(action) }
        return actions
    }

    mutating func receive(_ packet: StartupPacket) throws -> [Action] {
        receive(try [UInt8](packet))
        return actions()
    }
}

extension [ServerHandshake.Action] {
    var sent: [UInt8] {
        flatMap { action -> [UInt8] in if case .send(let bytes) = action { bytes } else { [] } }
    }

    var closed: WireError? {
        compactMap { action in if case .close(let error) = action { error } else { nil } }.first
    }

    var isClosed: Bool {
        contains { action in if case .close = action { true } else { false } }
    }
}

@Suite struct ServerHandshakeTests {
    /// A client that logs in by SCRAM; what the front did last comes back.
    private func login(
        _ handshake: inout ServerHandshake,
        _ word: String = "pencil",
        binding: SCRAMClient.Binding = .none,
        verifier: SCRAMVerifier?
    ) throws -> [ServerHandshake.Action] {
        handshake.verifier(verifier, randomBytes: LoginBench.random)
        guard case .authentication(.sasl(let names)) = try answer(&handshake) else { return [] }
        #expect(names.contains("SCRAM-SHA-256"))
        var client = try SCRAMClient(
            password: Array(word.utf8),
            binding: binding,
            randomBytes: [UInt8](repeating: 2, count: 18)
        )
        let response = SASLInitialResponse(mechanism: client.mechanism.name, data: client.first)
        handshake.receive(try [UInt8](response.message()))
        guard case .authentication(.saslContinue(let data)) = try answer(&handshake) else {
            return []
        }
        handshake.receive(try [UInt8](FrontendMessage.password(client.final(data))))
        let actions = handshake.actions()
        if case .authentication(.saslFinal(let data)) = try messages(actions.sent).first {
            try client.finish(data)
        }
        return actions
    }

    private func messages(_ bytes: [UInt8]) throws -> [BackendMessage] {
        try frames(bytes, .backend).map { try BackendMessage($0) }
    }

    private func answer(_ handshake: inout ServerHandshake) throws -> BackendMessage {
        try #require(try messages(handshake.actions().sent).first)
    }

    private func report(_ actions: [ServerHandshake.Action]) throws -> ServerReport {
        guard case .error(let report) = try messages(actions.sent).last else {
            throw WireError(.internalError, "no error was sent: \(actions)")
        }
        return report
    }

    @Test func `a client logs in, and what it sent ahead is handed on`() throws {
        var handshake = ServerHandshake(LoginBench.configuration())
        let actions = try handshake.receive(.startup(LoginBench.startup))
        guard case .lookUpVerifier(var request) = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(request.user == "alice" && request.target.branch == "pr-1")
        #expect(request.proved == nil)
        request.proved = try LoginBench.verifier()
        let last = try login(&handshake, verifier: try LoginBench.verifier())
        #expect(try messages(last.sent).last == .authentication(.ok))
        #expect(last.last == .authenticated(request))
        handshake.receive([0x51, 0, 0])
        #expect(handshake.actions() == [])
        let timeZone = WireParameter("TimeZone", "UTC")
        handshake.computeIsReady([timeZone], key: LoginBench.key, transaction: .idle)
        let begun = handshake.actions()
        #expect(
            try messages(begun.sent) == [
                .parameterStatus(timeZone), .backendKeyData(LoginBench.key), .ready(.idle),
            ]
        )
        #expect(begun.last == .beginSession(received: [0x51, 0, 0]))
        #expect(handshake.isOver)
    }

    @Test func `a log-in says the same however its bytes are split`() throws {
        let packet = try [UInt8](.startup(LoginBench.startup))
        for place in 0...packet.count {
            var handshake = ServerHandshake(LoginBench.configuration())
            handshake.receive(Array(packet[..<place]))
            var actions = handshake.actions()
            handshake.receive(Array(packet[place...]))
            actions += handshake.actions()
            #expect(actions.count == 1)
        }
    }

    @Test func `who is unknown hears the same as who has the wrong password`() throws {
        var heard: [[BackendMessage]] = []
        for verifier in [nil, try LoginBench.verifier()] {
            var handshake = ServerHandshake(LoginBench.configuration())
            _ = try handshake.receive(.startup(LoginBench.startup))
            let last = try login(&handshake, "wrong", verifier: verifier)
            #expect(last.closed?.state == .invalidPassword)
            heard.append(try messages(last.sent))
        }
        #expect(heard[0] == heard[1])
        guard case .error(let report) = heard[0].last else { return }
        #expect(report[.message] == "password authentication failed for user \"alice\"")
        #expect(report.sqlState == "28P01")
    }

    @Test func `no password lets an unknown user in`() throws {
        var handshake = ServerHandshake(LoginBench.configuration())
        _ = try handshake.receive(.startup(LoginBench.startup))
        #expect(try login(&handshake, verifier: nil).isClosed)
    }

    @Test func `TLS is begun, bound to, and required where it is`() throws {
        var clear = ServerHandshake(LoginBench.configuration(requiresTLS: true))
        #expect(
            try clear.receive(.startup(LoginBench.startup)).closed?.state == .invalidAuthorization
        )
        var handshake = ServerHandshake(LoginBench.configuration(requiresTLS: true))
        let begun = try handshake.receive(.startTLS)
        #expect(begun == [.send([0x53]), .startTLS(received: [])])
        handshake.tlsIsUp(endPointHash: LoginBench.hash, applicationProtocol: nil)
        _ = try handshake.receive(.startup(LoginBench.startup))
        let last = try login(
            &handshake,
            binding: .endPoint(LoginBench.hash),
            verifier: try LoginBench.verifier()
        )
        #expect(!last.isClosed)
        var other = ServerHandshake(LoginBench.configuration())
        _ = try other.receive(.startTLS)
        other.tlsIsUp(endPointHash: LoginBench.hash, applicationProtocol: nil)
        _ = try other.receive(.startup(LoginBench.startup))
        let refused = try login(&other, binding: .notOffered, verifier: try LoginBench.verifier())
        #expect(refused.isEmpty)
        #expect(other.isOver)
    }

    @Test func `bytes after the request for TLS end it, at any place of a split`() throws {
        for extra in [1, 2, 8, 100, 9_992] {
            let bytes = try [UInt8](.startTLS) + [UInt8](repeating: 0x16, count: extra)
            for place in [bytes.count, 8 + 1] where place > 8 {
                var handshake = ServerHandshake(LoginBench.configuration())
                handshake.receive(Array(bytes[..<place]))
                let actions = handshake.actions()
                #expect(actions.isClosed)
                #expect(!actions.sent.starts(with: [0x53]))
            }
        }
    }

    @Test func `a client that begins with TLS must have said what it speaks`() throws {
        for (name, isIn) in [("postgresql", true), ("h2", false), (nil, false)] {
            var handshake = ServerHandshake(LoginBench.configuration())
            handshake.receive([0x16, 3, 1])
            #expect(handshake.actions() == [.startTLS(received: [0x16, 3, 1])])
            handshake.tlsIsUp(endPointHash: nil, applicationProtocol: name)
            #expect(handshake.actions().isClosed != isIn)
        }
    }

    @Test func `each request before a session comes once`() throws {
        var handshake = ServerHandshake(LoginBench.configuration(offersTLS: false))
        #expect(try handshake.receive(.startTLS) == [.send([0x4E])])
        #expect(try handshake.receive(.startGSS) == [.send([0x4E])])
        #expect(try handshake.receive(.startGSS).isClosed)
        var other = ServerHandshake(LoginBench.configuration(offersTLS: false))
        #expect(try other.receive(.startTLS) == [.send([0x4E])])
        #expect(try other.receive(.startTLS).isClosed)
        var inner = ServerHandshake(LoginBench.configuration())
        _ = try inner.receive(.startTLS)
        inner.tlsIsUp(endPointHash: nil, applicationProtocol: nil)
        #expect(try inner.receive(.startGSS).isClosed)
    }

    @Test func `a million alternations end at the third`() throws {
        let pair = try [UInt8](.startTLS) + [UInt8](.startGSS)
        var handshake = ServerHandshake(LoginBench.configuration(offersTLS: false))
        var actions = 0
        for _ in 0..<500_000 {
            // A caller stops at the end; one that does not is no danger.
            if !handshake.isOver { handshake.receive(pair) }
            while handshake.next() != nil { actions += 1 }
        }
        #expect(actions == 4)
        var flood = ServerHandshake(LoginBench.configuration(offersTLS: false))
        flood.receive(Array((0..<500_000).map { _ in pair }.joined()))
        #expect(flood.actions().count == 4)
    }

    @Test func `a key to cancel with is handed on, and nothing is said`() throws {
        for count in [4, 32, 256] {
            let key = CancelKey(processID: 9, secret: [UInt8](repeating: 3, count: count))
            var handshake = ServerHandshake(LoginBench.configuration(requiresTLS: true))
            #expect(try handshake.receive(.cancel(key)) == [.cancel(key), .close(nil)])
        }
        for body in ["04D2162E00000001", "04D2162E00000001010203"] {
            var handshake = ServerHandshake(LoginBench.configuration())
            handshake.receive([0, 0, 0, UInt8(body.count / 2 + 4)] + bytes(hex: body))
            #expect(handshake.actions().isClosed)
        }
    }

    @Test func `a newer version and what is not known are answered with what is`() throws {
        let parameters = LoginBench.startup.parameters + [WireParameter("_pq_.new", "1")]
        let cases: [(ProtocolVersion, [WireParameter], BackendMessage?)] = [
            (.v3, LoginBench.startup.parameters, nil),
            (.newest, LoginBench.startup.parameters, nil),
            (
                ProtocolVersion(3, 9_999), LoginBench.startup.parameters,
                .negotiateVersion(.newest, unrecognized: [])
            ),
            (.v3, parameters, .negotiateVersion(.v3, unrecognized: ["_pq_.new"])),
        ]
        for (version, parameters, expected) in cases {
            var handshake = ServerHandshake(LoginBench.configuration())
            let actions = try handshake.receive(.startup(StartupMessage(version, parameters)))
            #expect(try messages(actions.sent).first == expected)
            #expect(!actions.isClosed)
        }
        for version in ["00020000", "00040000", "00000000"] {
            var handshake = ServerHandshake(LoginBench.configuration())
            handshake.receive(bytes(hex: "00000009" + version + "00"))
            #expect(handshake.actions().closed?.state == .featureNotSupported)
        }
    }

    @Test(arguments: [
        ("", "expected terminator"), ("7573657200", "expected terminator"),
        ("75736572", "expected terminator"), ("7573657200610061", "expected terminator"),
        ("75736572006100", "expected terminator"), ("7573657200610000FF", "expected terminator"),
        ("00", "no PostgreSQL user name"), ("75736572000000", "no PostgreSQL user name"),
        ("75736572006100757365720062000000", "stands twice"),
    ])
    func `a startup packet that is laid out otherwise is refused`(
        body: String,
        message: String
    ) throws {
        let packet = bytes(hex: "00030000" + body)
        var handshake = ServerHandshake(LoginBench.configuration())
        handshake.receive([0, 0, 0, UInt8(packet.count + 4)] + packet)
        let actions = handshake.actions()
        #expect(try report(actions)[.message]?.text.contains(message) == true)
    }

    @Test func `another message than an answer ends the log-in`() throws {
        let others: [[UInt8]] = [
            try [UInt8](.query("select 1")), try [UInt8](.sync), [0x70, 0, 0, 0x27, 0x11],
            [0x70, 0, 0, 0, 3], try [UInt8](.password(Array("pencil\0".utf8))),
            try [UInt8](SASLInitialResponse(mechanism: "SCRAM-SHA-1", data: []).message()),
            try [UInt8](SASLInitialResponse(mechanism: "SCRAM-SHA-256", data: nil).message()),
            try [UInt8](SASLInitialResponse(mechanism: "SCRAM-SHA-256-PLUS", data: []).message()),
        ]
        for bytes in others {
            var handshake = ServerHandshake(LoginBench.configuration())
            _ = try handshake.receive(.startup(LoginBench.startup))
            handshake.verifier(try LoginBench.verifier(), randomBytes: LoginBench.random)
            _ = handshake.actions()
            handshake.receive(bytes)
            #expect(handshake.actions().closed?.state == .protocolViolation)
        }
    }

    @Test func `what a compute failed with reaches the client`() throws {
        var handshake = ServerHandshake(LoginBench.configuration())
        _ = try handshake.receive(.startup(LoginBench.startup))
        _ = try login(&handshake, verifier: try LoginBench.verifier())
        handshake.fail(WireError(.cannotConnectNow, "the branch is asleep"))
        let actions = handshake.actions()
        #expect(try report(actions)[.message] == "the branch is asleep")
        #expect(handshake.isOver)
        handshake.computeIsReady([], key: LoginBench.key)
        #expect(handshake.actions() == [])
    }

    @Test func `answers that come at the wrong time are passed over`() throws {
        var handshake = ServerHandshake(LoginBench.configuration())
        handshake.verifier(nil, randomBytes: LoginBench.random)
        handshake.tlsIsUp(endPointHash: nil, applicationProtocol: nil)
        handshake.computeIsReady([], key: LoginBench.key)
        #expect(handshake.actions() == [])
    }
}
