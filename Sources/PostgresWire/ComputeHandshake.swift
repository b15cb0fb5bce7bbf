import Primitives

/// The front's way into a compute: the client's side of logging in, towards a server that is not
/// trusted. What it may say before it is ready is bounded in number and in size.
package struct ComputeHandshake: Sendable {
    package struct Configuration: Sendable {
        /// What the compute must prove to know; nil where the socket alone is trusted.
        package var password: [UInt8]?
        /// Beyond which a compute's count of iterations is refused.
        package var largestIterations: Int
        /// The hash of the compute's certificate, where there is TLS to it.
        package var endPointHash: [UInt8]?

        package init(
            password: [UInt8]?,
            largestIterations: Int = 100_000,
            endPointHash: [UInt8]? = nil
        ) {
            self.password = password
            self.largestIterations = largestIterations
            self.endPointHash = endPointHash
        }
    }

    /// A compute's session that has begun.
    package struct Session: Equatable, Sendable {
        /// The last value of each parameter, in the order in which they were first named.
        package let parameters: [WireParameter]
        package let key: CancelKey
        package let transaction: TransactionStatus
        package let notices: [ServerReport]
        /// What the compute sent after it was ready.
        package let received: [UInt8]
    }

    package enum Action: Equatable, Sendable {
        case send([UInt8])
        case ready(Session)
        /// The compute would not have us, and said why.
        case refused(ServerReport)
        /// It broke the protocol.
        case failed(WireError)
    }

    private enum State: Sendable {
        case authenticating
        case awaitingContinue(SCRAMClient)
        case awaitingFinal(SCRAMClient)
        case awaitingOK
        case settingUp
        case over
    }

    private let configuration: Configuration
    private let randomBytes: [UInt8]
    private var state = State.authenticating
    private var reader = FrameReader(.computeLogin)
    private var actions: [Action] = []
    private var byteCount = 0
    private var parameters: [WireParameter] = []
    private var notices: [ServerReport] = []
    private var key: CancelKey?

    /// `randomBytes` become the nonce: 18 or more, never used before.
    package init(
        _ startup: StartupMessage,
        _ configuration: Configuration,
        randomBytes: [UInt8]
    ) {
        self.configuration = configuration
        self.randomBytes = randomBytes
        do throws(WireError) {
            var writer = WireWriter()
            try StartupPacket.startup(startup).encode(into: &writer)
            actions.append(.send(writer.bytes))
        } catch { fail(error) }
    }

    /// Takes bytes of the compute's.
    package mutating func receive(_ bytes: [UInt8]) { reader.append(bytes) }

    /// What to do next; nil where something must come in first.
    package mutating func next() -> Action? {
        do throws(WireError) {
            while actions.isEmpty, !isOver, let frame = try reader.next() {
                byteCount += 5 + frame.body.count
                guard byteCount <= WireLimits.computeLoginBytes else { throw Self.tooMuch("bytes") }
                try take(try BackendMessage(frame))
            }
        } catch { fail(error) }
        return actions.isEmpty ? nil : actions.removeFirst()
    }

    private var isOver: Bool {
        if case .over = state { true } else { false }
    }

    private mutating func fail(_ error: WireError) {
        if isOver { return }
        actions.append(.failed(error))
        state = .over
    }

    private static func tooMuch(_ what: StaticString) -> WireError {
        WireError(.programLimitExceeded, "the compute sends too many \(what) before it is ready")
    }

    private mutating func take(_ message: BackendMessage) throws(WireError) {
        switch message {
        case .error(let report):
            actions.append(.refused(report))
            state = .over
        case .notice(let report):
            guard notices.count < WireLimits.computeNotices else { throw Self.tooMuch("notices") }
            notices.append(report)
        case .authentication(let request): try authenticate(request)
        case .parameterStatus(let parameter): try set(parameter, message)
        case .backendKeyData(let key):
            guard case .settingUp = state, self.key == nil else { throw Self.unexpected(message) }
            self.key = key
        case .ready(let transaction): try becomeReady(transaction, message)
        default: throw Self.unexpected(message)
        }
    }

    private static func unexpected(_ message: BackendMessage) -> WireError {
        let letter = Character(Unicode.Scalar(message.type.rawValue))
        return WireError(
            .connectionFailure,
            "the compute sends message type \"\(letter)\" out of order"
        )
    }

    private mutating func set(
        _ parameter: WireParameter,
        _ message: BackendMessage
    ) throws(WireError) {
        guard case .settingUp = state else { throw Self.unexpected(message) }
        if let place = parameters.firstIndex(where: { $0.name == parameter.name }) {
            parameters[place] = parameter
            return
        }
        guard parameters.count < WireLimits.computeParameters else {
            throw Self.tooMuch("parameters")
        }
        parameters.append(parameter)
    }

    private mutating func becomeReady(
        _ transaction: TransactionStatus,
        _ message: BackendMessage
    ) throws(WireError) {
        guard case .settingUp = state, let key else { throw Self.unexpected(message) }
        state = .over
        actions.append(
            .ready(
                Session(
                    parameters: parameters,
                    key: key,
                    transaction: transaction,
                    notices: notices,
                    received: reader.takeRest()
                )
            )
        )
    }

    private mutating func authenticate(_ request: Authentication) throws(WireError) {
        switch (request, state) {
        case (.ok, .authenticating) where configuration.password == nil: state = .settingUp
        case (.ok, .authenticating):
            throw WireError(.invalidAuthorization, "the compute did not ask for a password")
        case (.ok, .awaitingOK): state = .settingUp
        case (.sasl(let mechanisms), .authenticating): try begin(mechanisms)
        case (.saslContinue(let data), .awaitingContinue(var exchange)):
            let answer = try exchange.final(data)
            try send(.password(answer))
            state = .awaitingFinal(exchange)
        case (.saslFinal(let data), .awaitingFinal(var exchange)):
            try exchange.finish(data)
            state = .awaitingOK
        default:
            throw WireError(
                .invalidAuthorization,
                "the compute asks for an authentication that is not supported, or out of order"
            )
        }
    }

    private mutating func begin(_ mechanisms: [WireString]) throws(WireError) {
        guard let password = configuration.password else {
            throw WireError(.invalidAuthorization, "the compute asks for a password")
        }
        let offersPlus = mechanisms.contains(SCRAMMechanism.plus.name)
        let binding: SCRAMClient.Binding =
            switch configuration.endPointHash {
            case nil: .none
            case .some(let hash): offersPlus ? .endPoint(hash) : .notOffered
            }
        let exchange = try SCRAMClient(
            password: password,
            binding: binding,
            randomBytes: randomBytes,
            largestIterations: configuration.largestIterations
        )
        guard mechanisms.contains(exchange.mechanism.name) else {
            throw WireError(.invalidAuthorization, "the compute offers no SCRAM-SHA-256")
        }
        let response = SASLInitialResponse(
            mechanism: exchange.mechanism.name,
            data: exchange.first
        )
        try send(try response.message())
        state = .awaitingContinue(exchange)
    }

    private mutating func send(_ message: FrontendMessage) throws(WireError) {
        var writer = WireWriter()
        try message.encode(into: &writer)
        actions.append(.send(writer.bytes))
    }
}
