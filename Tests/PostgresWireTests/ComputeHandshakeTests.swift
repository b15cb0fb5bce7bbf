import PostgresWire
import Primitives
import TestSupport
import Testing

@Suite struct ComputeHandshakeTests {
    private static let startup = StartupMessage(.v3, [WireParameter("user", "scram")])
    private static let key = BackendMessage.backendKeyData(
        CancelKey(processID: 4, secret: [1, 2, 3, 4])
    )

    private func begin(_ password: String? = nil) -> ComputeHandshake {
        ComputeHandshake(
            Self.startup,
            .init(password: password.map { Array($0.utf8) }),
            randomBytes: [UInt8](repeating: 6, count: 18)
        )
    }

    private func run(
        _ handshake: inout ComputeHandshake,
        _ messages: [BackendMessage]
    ) throws -> ComputeHandshake.Action? {
        var last: ComputeHandshake.Action?
        while let action = handshake.next() { last = action }
        for message in messages {
            handshake.receive(try [UInt8](message))
            while let action = handshake.next() { last = action }
        }
        return last
    }

    @Test func `parameters and a key are collected until the compute is ready`() throws {
        var handshake = begin()
        #expect(handshake.next() == .send(try [UInt8](.startup(Self.startup))))
        let notice = ServerReport(.notice, state: "00000", "hello")
        let last = try run(
            &handshake,
            [
                .authentication(.ok), .parameterStatus(WireParameter("a", "1")), .notice(notice),
                .parameterStatus(WireParameter("b", "2")), Self.key,
                .parameterStatus(WireParameter("a", "3")), .ready(.idle),
            ]
        )
        guard case .ready(let session) = last else {
            Issue.record("\(String(describing: last))")
            return
        }
        #expect(session.parameters == [WireParameter("a", "3"), WireParameter("b", "2")])
        #expect(session.key.processID == 4 && session.notices == [notice])
        #expect(session.transaction == .idle && session.received == [])
    }

    @Test func `both log-ins of this layer agree with each other`() throws {
        var front = ServerHandshake(LoginBench.configuration())
        var compute = begin("pencil")
        var ends = 0
        for _ in 0..<20 {
            while let action = compute.next() {
                switch action {
                case .send(let bytes): front.receive(bytes)
                case .ready(let session):
                    ends += 1
                    #expect(session.parameters.count == 1)
                default: Issue.record("\(action)")
                }
            }
            while let action = front.next() {
                switch action {
                case .send(let bytes): compute.receive(bytes)
                case .lookUpVerifier:
                    front.verifier(try LoginBench.verifier(), randomBytes: LoginBench.random)
                case .authenticated:
                    front.computeIsReady([WireParameter("a", "b")], key: LoginBench.key)
                case .beginSession: ends += 1
                default: Issue.record("\(action)")
                }
            }
        }
        #expect(ends == 2)
    }

    @Test(arguments: Recording.names)
    func `what PostgreSQL says to begin with is understood, byte by byte`(name: String) throws {
        for connection in try Recording.connections(name) {
            var handshake = begin()
            var isReady = false
            for byte in connection.all(.backend) where !isReady {
                handshake.receive([byte])
                while let action = handshake.next() {
                    guard case .ready(let session) = action else { continue }
                    isReady = true
                    #expect(session.parameters.contains { $0.name == "server_version" })
                    #expect(session.key.secret.count == 4)
                }
            }
            #expect(isReady)
        }
    }

    @Test func `a compute that should know the password must show it`() throws {
        var handshake = begin("pencil")
        guard case .failed(let error) = try run(&handshake, [.authentication(.ok)]) else {
            Issue.record("it was let in")
            return
        }
        #expect(error.state == .invalidAuthorization)
        var skipping = begin("pencil")
        let last = try run(
            &skipping,
            [.authentication(.sasl(mechanisms: ["SCRAM-SHA-256"])), .authentication(.ok)]
        )
        guard case .failed = last else {
            Issue.record("it was let in")
            return
        }
    }

    @Test func `a compute that asks for a password in clear, or out of order, is refused`() throws {
        let bad: [[BackendMessage]] = [
            [.authentication(.cleartextPassword)],
            [.authentication(.md5Password(salt: [1, 2, 3, 4]))],
            [.authentication(.other(code: 7, data: []))], [.ready(.idle)], [Self.key],
            [.parameterStatus(WireParameter("a", "b"))], [.dataRow([])], [.commandComplete("x")],
            [.authentication(.saslContinue([]))], [.authentication(.saslFinal([]))],
            [.authentication(.sasl(mechanisms: []))],
            [.authentication(.sasl(mechanisms: ["SCRAM-SHA-256-PLUS"]))],
            [.authentication(.ok), .authentication(.ok)], [.authentication(.ok), .ready(.idle)],
            [.authentication(.ok), Self.key, Self.key],
            [.negotiateVersion(.v3, unrecognized: [])],
        ]
        for password in [nil, "pencil"] {
            for messages in bad {
                var handshake = begin(password)
                guard case .failed = try run(&handshake, messages) else {
                    Issue.record("\(messages) was taken")
                    continue
                }
                #expect(try run(&handshake, [.authentication(.ok)]) == nil)
            }
        }
    }

    @Test func `a compute that refuses says why, even without a SQLSTATE`() throws {
        let report = ServerReport(fields: [.init(0x4D, "no")])
        var handshake = begin()
        #expect(try run(&handshake, [.error(report)]) == .refused(report))
    }

    @Test func `a compute cannot fill the memory`() throws {
        let floods: [(BackendMessage, Int)] = [
            (.notice(ServerReport(.notice, state: "00000", "x")), WireLimits.computeNotices),
            (
                .parameterStatus(
                    WireParameter("a", WireString([UInt8](repeating: 1, count: 20_000)))
                ),
                15
            ),
        ]
        for (message, limit) in floods {
            var handshake = begin()
            _ = try run(&handshake, [.authentication(.ok)])
            var count = 0
            while count < 10_000 {
                if case .failed(let error) = try run(&handshake, [message]) {
                    #expect(error.state == .programLimitExceeded)
                    break
                }
                count += 1
            }
            #expect(count <= limit)
        }
        var many = begin()
        _ = try run(&many, [.authentication(.ok)])
        var last: ComputeHandshake.Action?
        for number in 0...WireLimits.computeParameters {
            let parameter = WireParameter(WireString("p\(number)"), "")
            last = try run(&many, [.parameterStatus(parameter)])
        }
        guard case .failed = last else {
            Issue.record("there is no end of parameters")
            return
        }
    }
}
