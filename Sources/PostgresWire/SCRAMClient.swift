/// The client's side of SCRAM-SHA-256, towards a server that is not trusted before it has shown
/// that it knows the password too.
package struct SCRAMClient: Sendable {
    package enum Binding: Hashable, Sendable {
        /// There is no TLS below.
        case none
        /// There is TLS, but the server did not offer PLUS.
        case notOffered
        /// The hash of the server's certificate, under PLUS.
        case endPoint([UInt8])
    }

    private let password: [UInt8]
    private let binding: Binding
    private let nonce: [UInt8]
    private let largestIterations: Int
    private var expected: [UInt8]?

    package init(
        password: [UInt8],
        binding: Binding,
        randomBytes: [UInt8],
        largestIterations: Int = 100_000
    ) throws(WireError) {
        guard randomBytes.count >= 18, !password.contains(0),
            (1...WireLimits.password).contains(password.count),
            WireLimits.scramIterations.contains(largestIterations)
        else {
            throw WireError(.internalError, "a SCRAM exchange without a nonce or a password")
        }
        self.password = password
        self.binding = binding
        self.largestIterations = largestIterations
        nonce = Base64.encode(randomBytes)
    }

    package var mechanism: SCRAMMechanism {
        if case .endPoint = binding { .plus } else { .plain }
    }

    private var header: [UInt8] {
        switch binding {
        case .none: Array("n,,".utf8)
        case .notOffered: Array("y,,".utf8)
        case .endPoint: Array("p=tls-server-end-point,,".utf8)
        }
    }

    // Without a name: the server takes the one of the startup packet.
    private var firstBare: [UInt8] { Array("n=,r=".utf8) + nonce }

    package var first: [UInt8] { header + firstBare }

    /// Takes the server's first message and answers it with the proof.
    package mutating func final(_ serverFirst: [UInt8]) throws(WireError) -> [UInt8] {
        guard expected == nil else { throw .violation("a SCRAM message out of order") }
        var attributes = try SCRAMAttributes(serverFirst)
        let fullNonce = try attributes.value("r")
        guard SCRAMAttributes.isNonce(fullNonce), fullNonce.starts(with: nonce),
            fullNonce.count > nonce.count
        else { throw .violation("invalid SCRAM response (nonce mismatch)") }
        guard let salt = Base64.decode(try attributes.value("s")),
            (1...WireLimits.scramSalt).contains(salt.count)
        else { throw .violation("malformed SCRAM message (invalid salt)") }
        guard let iterations = SCRAMVerifier.number(try attributes.value("i")),
            iterations <= largestIterations
        else { throw .violation("malformed SCRAM message (invalid iteration count)") }
        try attributes.passExtensions()
        return try proof(serverFirst, fullNonce, salt, iterations)
    }

    private mutating func proof(
        _ serverFirst: [UInt8],
        _ fullNonce: [UInt8],
        _ salt: [UInt8],
        _ iterations: Int
    ) throws(WireError) -> [UInt8] {
        let keys = try SCRAMKeys(password: password, salt: salt, iterations: iterations)
        var bound = header
        if case .endPoint(let hash) = binding { bound += hash }
        let withoutProof =
            Array("c=".utf8) + Base64.encode(bound) + Array(",r=".utf8) + fullNonce
        let comma = Array(",".utf8)
        let authMessage = firstBare + comma + serverFirst + comma + withoutProof
        let signature = try Crypto.hmac(key: keys.storedKey, authMessage)
        expected = try Crypto.hmac(key: keys.serverKey, authMessage)
        return withoutProof + Array(",p=".utf8)
            + Base64.encode(Crypto.xor(keys.clientKey, signature))
    }

    /// Checks the server's last message: whether it knew the password.
    package mutating func finish(_ serverFinal: [UInt8]) throws(WireError) {
        guard let expected else { throw .violation("a SCRAM message out of order") }
        var attributes = try SCRAMAttributes(serverFinal)
        if attributes.next == UInt8(ascii: "e") {
            let reason = String(decoding: try attributes.any().value.prefix(80), as: UTF8.self)
            throw WireError(.invalidPassword, "error received from server in SCRAM: \(reason)")
        }
        guard let signature = Base64.decode(try attributes.value("v")) else {
            throw .violation("malformed SCRAM message (invalid server signature)")
        }
        try attributes.passExtensions()
        guard Crypto.equal(signature, expected) else {
            throw WireError(.invalidPassword, "incorrect server signature")
        }
    }
}
