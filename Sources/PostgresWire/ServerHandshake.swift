import Primitives

/// A client's way in: from its first byte to the start of its session.
///
/// A pure state machine. Bytes and answers go in through the methods; what to do comes out of
/// ``next()``, which is called until it returns nil. Time limits and the number of connections are
/// the caller's. What it has buffered is bounded by what it was given at once, so whoever feeds it
/// reads a few KiB at a time.
///
///     first ──(SSLRequest, at most once)──> TLS ──┐
///       │  └──(GSSENCRequest, refused, at most once)
///       ├──(CancelRequest)──> done
///       └──(StartupMessage)──> look up ──> SASL ──> authenticated ──> ready ──> session
package struct ServerHandshake: Sendable {
    package struct Configuration: Sendable {
        /// Whether there is a certificate, so that TLS can be offered.
        package var offersTLS: Bool
        /// Whether who does not use it is refused. Not meant for a private socket.
        package var requiresTLS: Bool
        package var policy: StartupPolicy
        /// What the salts of users are made of whom there are not: secret, and the same for the
        /// life of the store.
        package var mockSecret: [UInt8]
        /// As many as real verifiers have.
        package var mockIterations: Int

        package init(
            offersTLS: Bool,
            requiresTLS: Bool,
            policy: StartupPolicy = .ordinary,
            mockSecret: [UInt8],
            mockIterations: Int = SCRAMVerifier.usualIterations
        ) {
            self.offersTLS = offersTLS
            self.requiresTLS = requiresTLS
            self.policy = policy
            self.mockSecret = mockSecret
            self.mockIterations = mockIterations
        }
    }

    package enum Action: Equatable, Sendable {
        case send([UInt8])
        /// Shake hands for TLS, then call ``tlsIsUp(endPointHash:applicationProtocol:)``. These
        /// bytes, of a client that began with TLS at once, are the first of the exchange.
        case startTLS(received: [UInt8])
        /// Find the user's verifier and call ``verifier(_:randomBytes:)``.
        case lookUpVerifier(ConnectionRequest)
        /// The user is who they say. Find the branch and its compute, then call
        /// ``computeIsReady(_:key:transaction:)`` or ``fail(_:)``.
        case authenticated(ConnectionRequest)
        /// The session begins; these bytes of the client's have come already.
        case beginSession(received: [UInt8])
        /// Cancel what this key stands for, if anything, and close without a word.
        case cancel(CancelKey)
        /// Close, once what was sent before is gone. The error is for the log; the client was
        /// told what it may know.
        case close(WireError?)
    }

    enum State: Sendable {
        case first
        case startingTLS
        case lookingUp(ConnectionRequest)
        case choosing(ConnectionRequest, SCRAMVerifier, isDoomed: Bool, randomBytes: [UInt8])
        case proving(ConnectionRequest, SCRAMServer)
        case waiting(ConnectionRequest)
        case over
    }

    let configuration: Configuration
    var state = State.first
    var reader = FrameReader(.startup)
    var actions: [Action] = []
    /// Whether TLS is up, was asked for or refused, and by which way.
    var hasTLS = false
    var beganWithTLS = false
    var askedForTLS = false
    var askedForGSS = false
    var endPointHash: [UInt8]?

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Whether it has said the last thing that it will.
    package var isOver: Bool {
        if case .over = state { actions.isEmpty } else { false }
    }

    /// Whether the next byte may be the first of TLS, which whoever does the shaking of hands may
    /// want to leave where it is.
    package var mayBeginWithTLS: Bool {
        guard case .first = state else { return false }
        return configuration.offersTLS && !hasTLS && !askedForTLS && !askedForGSS
            && !reader.hasBuffered
    }

    /// Takes bytes of the client's: of the socket, or of TLS once that is up. Everything that was
    /// read of the socket must come in here before ``next()`` is asked, or TLS could not be told
    /// from what came before it.
    package mutating func receive(_ bytes: [UInt8]) { reader.append(bytes) }

    /// What to do next; nil where something must come in first.
    package mutating func next() -> Action? {
        if actions.isEmpty {
            do throws(WireError) { try advance() } catch { fail(error) }
        }
        return actions.isEmpty ? nil : actions.removeFirst()
    }

    /// TLS is up. The hash is of the server's certificate, as `tls-server-end-point` has it; nil
    /// where the certificate has no such hash. The protocol is what ALPN agreed on.
    package mutating func tlsIsUp(endPointHash: [UInt8]?, applicationProtocol: String?) {
        guard case .startingTLS = state else { return }
        hasTLS = true
        self.endPointHash = endPointHash
        state = .first
        // A client that began with TLS might speak anything in it; so it must have said what.
        let isAgreed =
            applicationProtocol == "postgresql" || (applicationProtocol == nil && !beganWithTLS)
        if !isAgreed {
            fail(.violation("received direct SSL connection request without ALPN protocol"))
        }
    }

    /// The verifier of the user, or nil for one who may not log in, for whatever reason: then the
    /// exchange goes on as for anybody, and fails.
    package mutating func verifier(_ found: SCRAMVerifier?, randomBytes: [UInt8]) {
        guard case .lookingUp(let request) = state else { return }
        do throws(WireError) {
            let mock = try SCRAMVerifier.mock(
                user: request.user.bytes,
                secret: configuration.mockSecret,
                iterations: configuration.mockIterations
            )
            var mechanisms = [SCRAMMechanism.plain.name]
            if endPointHash != nil { mechanisms.insert(SCRAMMechanism.plus.name, at: 0) }
            try send(.authentication(.sasl(mechanisms: mechanisms)))
            reader.use(.authentication)
            // Told to nobody before the proof has come.
            var request = request
            request.proved = found
            state = .choosing(
                request,
                found ?? mock,
                isDoomed: found == nil,
                randomBytes: randomBytes
            )
        } catch { fail(error) }
    }

    /// The compute is ready: its parameters, the key that this client may cancel with (the front's
    /// own), and where the compute's session stands.
    package mutating func computeIsReady(
        _ parameters: [WireParameter],
        key: CancelKey,
        transaction: TransactionStatus = .idle
    ) {
        guard case .waiting(let request) = state else { return }
        do throws(WireError) {
            guard request.version >= ProtocolVersion(3, 2) || key.secret.count == 4 else {
                throw WireError(.internalError, "a key of \(key.secret.count) bytes before 3.2")
            }
            var writer = WireWriter()
            for parameter in parameters {
                try BackendMessage.parameterStatus(parameter).encode(into: &writer)
            }
            try BackendMessage.backendKeyData(key).encode(into: &writer)
            try BackendMessage.ready(transaction).encode(into: &writer)
            actions.append(.send(writer.bytes))
            actions.append(.beginSession(received: reader.takeRest()))
            state = .over
        } catch { fail(error) }
    }

    /// Ends it with an error, of which the client is told.
    package mutating func fail(_ error: WireError) {
        fail(ServerReport(closingWith: error), error)
    }

    /// Ends it with a report, as that of a compute which would not have the client.
    package mutating func fail(_ report: ServerReport, _ error: WireError) {
        if case .over = state { return }
        // Between asking for TLS and having it, a word in clear could be anybody's.
        if case .startingTLS = state {
        } else {
            var writer = WireWriter()
            if (try? BackendMessage.error(report).encode(into: &writer)) != nil {
                actions.append(.send(writer.bytes))
            }
        }
        actions.append(.close(error))
        state = .over
    }

    mutating func send(_ message: BackendMessage) throws(WireError) {
        var writer = WireWriter()
        try message.encode(into: &writer)
        actions.append(.send(writer.bytes))
    }
}
