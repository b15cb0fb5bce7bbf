/// What a server keeps of a password: enough to check a proof, and not enough to make one.
///
/// As text it is what PostgreSQL keeps in `rolpassword`:
/// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, in base64 but for the number.
package struct SCRAMVerifier: Hashable, Sendable {
    package let iterations: Int
    package let salt: [UInt8]
    package let storedKey: [UInt8]
    package let serverKey: [UInt8]

    /// What PostgreSQL and its clients use unless told otherwise.
    package static let usualIterations = 4_096
    package static let usualSaltCount = 16

    init(iterations: Int, salt: [UInt8], storedKey: [UInt8], serverKey: [UInt8]) {
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Makes a verifier of a password; the salt must be random, of 16 bytes as a rule.
    package init(
        password: [UInt8],
        salt: [UInt8],
        iterations: Int = usualIterations
    ) throws(WireError) {
        guard WireLimits.scramIterations.contains(iterations),
            (1...WireLimits.scramSalt).contains(salt.count),
            (1...WireLimits.password).contains(password.count), !password.contains(0)
        else {
            throw WireError(
                .invalidParameterValue,
                "no verifier of a password of \(password.count) bytes, a salt of \(salt.count) and "
                    + "\(iterations) iterations"
            )
        }
        let keys = try SCRAMKeys(password: password, salt: salt, iterations: iterations)
        self.init(
            iterations: iterations,
            salt: salt,
            storedKey: keys.storedKey,
            serverKey: keys.serverKey
        )
    }

    /// Reads what ``description`` prints.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("SCRAM-SHA-256".utf8),
            let (count, salt) = Self.pair(parts[1]), let (stored, server) = Self.pair(parts[2]),
            let iterations = Self.number(count), let salt = Base64.decode(salt),
            let storedKey = Base64.decode(stored), let serverKey = Base64.decode(server),
            (1...WireLimits.scramSalt).contains(salt.count),
            storedKey.count == Crypto.digestCount, serverKey.count == Crypto.digestCount
        else { return nil }
        self.init(
            iterations: iterations,
            salt: salt,
            storedKey: storedKey,
            serverKey: serverKey
        )
    }

    private static func pair(_ text: Substring.UTF8View) -> ([UInt8], [UInt8])? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return parts.count == 2 ? (Array(parts[0]), Array(parts[1])) : nil
    }

    /// A number of iterations, in digits alone.
    static func number(_ digits: [UInt8]) -> Int? {
        guard (1...7).contains(digits.count), digits[0] != UInt8(ascii: "0"),
            digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        return WireLimits.scramIterations.contains(number) ? number : nil
    }

    /// What stands in for the verifier of a user whom there is not: the same at each attempt, so
    /// that asking twice tells nothing, and no password fits it.
    package static func mock(
        user: [UInt8],
        secret: [UInt8],
        iterations: Int
    ) throws(WireError) -> SCRAMVerifier {
        let salt = try Crypto.hmac(key: secret, user)
        return SCRAMVerifier(
            iterations: iterations,
            salt: Array(salt.prefix(usualSaltCount)),
            storedKey: [UInt8](repeating: 0, count: Crypto.digestCount),
            serverKey: [UInt8](repeating: 0, count: Crypto.digestCount)
        )
    }
}

extension SCRAMVerifier: CustomStringConvertible {
    package var description: String {
        func text(_ bytes: [UInt8]) -> String {
            String(decoding: Base64.encode(bytes), as: UTF8.self)
        }
        return "SCRAM-SHA-256$\(iterations):\(text(salt))$\(text(storedKey)):\(text(serverKey))"
    }
}

/// What comes of a password, a salt and a number of rounds (RFC 5802, section 3).
struct SCRAMKeys {
    let clientKey: [UInt8]
    let storedKey: [UInt8]
    let serverKey: [UInt8]

    init(password: [UInt8], salt: [UInt8], iterations: Int) throws(WireError) {
        let prepared = SASLprep.prepare(password)
        let salted = try Crypto.pbkdf2(
            password: Array(prepared.prefix(WireLimits.password)),
            salt: salt,
            iterations: iterations
        )
        clientKey = try Crypto.hmac(key: salted, Array("Client Key".utf8))
        storedKey = try Crypto.sha256(clientKey)
        serverKey = try Crypto.hmac(key: salted, Array("Server Key".utf8))
    }
}
