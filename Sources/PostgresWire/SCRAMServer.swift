/// The two mechanisms: the second one is bound to the TLS channel under it.
package enum SCRAMMechanism: String, Sendable, CaseIterable {
    case plain = "SCRAM-SHA-256"
    case plus = "SCRAM-SHA-256-PLUS"

    package var name: WireString { WireString(rawValue) }
}

/// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): a client proves that it knows a
/// password, and learns that the server knows it as well.
///
///     client-first  n,,n=,r=<nonce>
///     server-first  r=<nonce><ours>,s=<salt>,i=<iterations>
///     client-final  c=<gs2 header and binding>,r=<nonce><ours>,p=<proof>
///     server-final  v=<signature>
package struct SCRAMServer: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// Send this and let the client in.
        case accepted([UInt8])
        case rejected
    }

    private let mechanism: SCRAMMechanism
    private let verifier: SCRAMVerifier
    /// Whether no proof will do, since there is no such user.
    private let isDoomed: Bool
    /// What binds to the channel, where there is something: then PLUS was offered.
    private let channelBinding: [UInt8]?
    private let nonce: [UInt8]
    private var header: [UInt8] = []
    private var clientFirstBare: [UInt8] = []
    private var serverFirst: [UInt8] = []
    private var fullNonce: [UInt8] = []

    /// `randomBytes` become the server's part of the nonce: 18 or more, never used before.
    package init(
        _ mechanism: SCRAMMechanism,
        verifier: SCRAMVerifier,
        isDoomed: Bool = false,
        channelBinding: [UInt8]?,
        randomBytes: [UInt8]
    ) throws(WireError) {
        guard randomBytes.count >= 18 else {
            throw WireError(.internalError, "a SCRAM exchange without a nonce")
        }
        try self.init(
            mechanism,
            verifier: verifier,
            isDoomed: isDoomed,
            channelBinding: channelBinding,
            nonce: Base64.encode(randomBytes)
        )
    }

    /// With a nonce as it stands in the messages.
    package init(
        _ mechanism: SCRAMMechanism,
        verifier: SCRAMVerifier,
        isDoomed: Bool,
        channelBinding: [UInt8]?,
        nonce: [UInt8]
    ) throws(WireError) {
        guard SCRAMAttributes.isNonce(nonce), mechanism == .plain || channelBinding != nil else {
            throw WireError(.internalError, "a SCRAM exchange without a nonce or a channel")
        }
        self.mechanism = mechanism
        self.verifier = verifier
        self.isDoomed = isDoomed
        self.channelBinding = channelBinding
        self.nonce = nonce
    }

    /// Takes the client's first message and answers it.
    package mutating func first(_ message: [UInt8]) throws(WireError) -> [UInt8] {
        var attributes = try SCRAMAttributes(message)
        try checkBindingFlag(&attributes)
        try attributes.expectComma()
        guard attributes.next != UInt8(ascii: "a") else {
            throw WireError(
                .featureNotSupported,
                "client uses authorization identity, but it is not supported"
            )
        }
        try attributes.expectComma()
        header = Array(message[..<attributes.offset])
        clientFirstBare = Array(message[attributes.offset...])
        guard attributes.next != UInt8(ascii: "m") else {
            throw WireError(
                .featureNotSupported,
                "client requires an unsupported SCRAM extension"
            )
        }
        // The name is the one of the startup packet; this one is passed over.
        _ = try attributes.value("n")
        let clientNonce = try attributes.value("r")
        guard SCRAMAttributes.isNonce(clientNonce) else {
            throw .violation("non-printable characters in SCRAM nonce")
        }
        try attributes.passExtensions()
        fullNonce = clientNonce + nonce
        serverFirst = Array("r=".utf8) + fullNonce + Array(",s=".utf8)
        serverFirst += Base64.encode(verifier.salt) + Array(",i=\(verifier.iterations)".utf8)
        return serverFirst
    }

    private func checkBindingFlag(_ attributes: inout SCRAMAttributes) throws(WireError) {
        switch attributes.next {
        case UInt8(ascii: "n"), UInt8(ascii: "y"):
            guard mechanism == .plain else {
                throw SCRAMAttributes.malformed(
                    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not "
                        + "include channel binding data."
                )
            }
            // Somebody between took PLUS out of what was offered.
            if attributes.next == UInt8(ascii: "y"), channelBinding != nil {
                throw WireError(
                    .invalidAuthorization,
                    "SCRAM channel binding negotiation error",
                    detail: "The client supports SCRAM channel binding but thinks the server does "
                        + "not.  However, this server does support channel binding."
                )
            }
            attributes.skip()
        case UInt8(ascii: "p"):
            guard mechanism == .plus else {
                throw SCRAMAttributes.malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM "
                        + "message includes channel binding data."
                )
            }
            try checkBindingType(&attributes)
        default:
            throw SCRAMAttributes.malformed(
                "Unexpected channel-binding flag \(SCRAMAttributes.show(attributes.next))."
            )
        }
    }

    private func checkBindingType(_ attributes: inout SCRAMAttributes) throws(WireError) {
        let wanted = Array("p=tls-server-end-point,".utf8)
        guard attributes.bytes.starts(with: wanted) else {
            throw .violation("unsupported SCRAM channel-binding type")
        }
        // Up to the comma, which the caller expects.
        for _ in 0..<wanted.count - 1 { attributes.skip() }
    }

    /// Takes the client's last message.
    package mutating func final(_ message: [UInt8]) throws(WireError) -> Verdict {
        guard !serverFirst.isEmpty else { throw .violation("a SCRAM message out of order") }
        var attributes = try SCRAMAttributes(message)
        try checkBinding(try attributes.value("c"))
        guard try attributes.value("r") == fullNonce else {
            throw .violation("invalid SCRAM response", detail: "Nonce does not match.")
        }
        var end = attributes.offset
        var attribute = try attributes.any()
        while attribute.letter != UInt8(ascii: "p") {
            end = attributes.offset
            attribute = try attributes.any()
        }
        guard let proof = Base64.decode(attribute.value), proof.count == Crypto.digestCount else {
            throw SCRAMAttributes.malformed("Malformed proof in client-final-message.")
        }
        guard attributes.isAtEnd else {
            throw SCRAMAttributes.malformed("Garbage found at the end of client-final-message.")
        }
        let comma = Array(",".utf8)
        let authMessage =
            clientFirstBare + comma + serverFirst + comma + Array(message[..<(end - 1)])
        return try check(proof, authMessage)
    }

    private func checkBinding(_ value: [UInt8]) throws(WireError) {
        let bound = mechanism == .plus ? channelBinding ?? [] : []
        guard Crypto.equal(value, Base64.encode(header + bound)) else {
            throw mechanism == .plus
                ? WireError(.invalidAuthorization, "SCRAM channel binding check failed")
                : .violation(
                    "unexpected SCRAM channel-binding attribute in client-final-message"
                )
        }
    }

    private func check(
        _ proof: [UInt8],
        _ authMessage: [UInt8]
    ) throws(WireError) -> Verdict {
        let signature = try Crypto.hmac(key: verifier.storedKey, authMessage)
        let storedKey = try Crypto.sha256(Crypto.xor(proof, signature))
        // The answer is made in any case, so that a wrong password takes as long as a right one.
        let answer = try Crypto.hmac(key: verifier.serverKey, authMessage)
        let fits = Crypto.equal(storedKey, verifier.storedKey)
        guard fits, !isDoomed else { return .rejected }
        return .accepted(Array("v=".utf8) + Base64.encode(answer))
    }
}
