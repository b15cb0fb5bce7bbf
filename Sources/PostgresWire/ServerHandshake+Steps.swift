import Primitives

extension ServerHandshake {
    /// Goes on as far as what has been received allows.
    mutating func advance() throws(WireError) {
        switch state {
        case .first: try advanceFirst()
        case .choosing(let request, let verifier, let isDoomed, let randomBytes):
            guard let body = try response() else { return }
            try choose(request, verifier, isDoomed, randomBytes, body)
        case .proving(let request, let exchange):
            guard let body = try response() else { return }
            try prove(request, exchange, body)
        case .startingTLS, .lookingUp, .waiting, .over: return
        }
    }

    private mutating func advanceFirst() throws(WireError) {
        // The first byte of a TLS handshake; a start-up packet begins with a small length.
        if !hasTLS, !askedForTLS, !askedForGSS, reader.firstByte == 0x16 {
            guard configuration.offersTLS else {
                throw .violation("invalid length of startup packet")
            }
            beganWithTLS = true
            state = .startingTLS
            return actions.append(.startTLS(received: reader.takeRest()))
        }
        guard let frame = try reader.next() else { return }
        switch try StartupPacket(decoding: frame.body) {
        case .startTLS: try startTLS()
        case .startGSS: try refuseGSS()
        case .cancel(let key):
            actions.append(.cancel(key))
            actions.append(.close(nil))
            state = .over
        case .startup(let message): try begin(message)
        }
    }

    /// Each of the two requests once, and neither within TLS.
    private mutating func startTLS() throws(WireError) {
        guard !askedForTLS, !hasTLS else { throw .violation("a second SSLRequest") }
        askedForTLS = true
        guard configuration.offersTLS else { return actions.append(.send([UInt8(ascii: "N")])) }
        // What somebody put in after the request would be taken for what came through TLS.
        guard !reader.hasBuffered else {
            throw .violation(
                "received unencrypted data after SSL request",
                detail: "This could be either a client-software bug or evidence of an attempted "
                    + "man-in-the-middle attack."
            )
        }
        actions.append(.send([UInt8(ascii: "S")]))
        actions.append(.startTLS(received: []))
        state = .startingTLS
    }

    private mutating func refuseGSS() throws(WireError) {
        guard !askedForGSS, !hasTLS else { throw .violation("a second GSSENCRequest") }
        askedForGSS = true
        actions.append(.send([UInt8(ascii: "N")]))
    }

    private mutating func begin(_ message: StartupMessage) throws(WireError) {
        guard hasTLS || !configuration.requiresTLS else {
            throw WireError(
                .invalidAuthorization,
                "this server takes connections over SSL only",
                detail: "Set sslmode=require, or verify-full, on the client's side."
            )
        }
        let request = try ConnectionRequest(message, policy: configuration.policy)
        let options = message.protocolOptions
        if message.version > .newest || !options.isEmpty {
            try send(
                .negotiateVersion(min(message.version, .newest), unrecognized: options)
            )
        }
        state = .lookingUp(request)
        actions.append(.lookUpVerifier(request))
    }

    /// The body of the client's next message, which must be an answer.
    private mutating func response() throws(WireError) -> [UInt8]? {
        guard let frame = try reader.next() else { return nil }
        guard frame.type == FrontendType.password.rawValue else {
            throw .violation("expected SASL response, got message type \(frame.type)")
        }
        return frame.body
    }

    private mutating func choose(
        _ request: ConnectionRequest,
        _ verifier: SCRAMVerifier,
        _ isDoomed: Bool,
        _ randomBytes: [UInt8],
        _ body: [UInt8]
    ) throws(WireError) {
        let response = try SASLInitialResponse(decoding: body)
        let chosen = SCRAMMechanism.allCases.first { $0.name == response.mechanism }
        guard let chosen, chosen == .plain || endPointHash != nil else {
            throw .violation("client selected an invalid SASL authentication mechanism")
        }
        var exchange = try SCRAMServer(
            chosen,
            verifier: verifier,
            isDoomed: isDoomed,
            channelBinding: endPointHash,
            randomBytes: randomBytes
        )
        guard let data = response.data else {
            // SCRAM has the client begin; this asks it to.
            throw .violation("the client's first SCRAM message is missing")
        }
        let answer = try exchange.first(data)
        try send(.authentication(.saslContinue(answer)))
        state = .proving(request, exchange)
    }

    private mutating func prove(
        _ request: ConnectionRequest,
        _ exchange: SCRAMServer,
        _ body: [UInt8]
    ) throws(WireError) {
        var exchange = exchange
        guard case .accepted(let answer) = try exchange.final(body) else {
            throw WireError(
                .invalidPassword,
                "password authentication failed for user \"\(request.user)\""
            )
        }
        try send(.authentication(.saslFinal(answer)))
        try send(.authentication(.ok))
        state = .waiting(request)
        actions.append(.authenticated(request))
    }
}
