import PostgresWire
import Primitives
import TestSupport
import Testing

@Suite struct SCRAMTests {
    private let password = Array("pencil".utf8)

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func server(
        _ mechanism: SCRAMMechanism = .plain,
        binding: [UInt8]? = nil,
        isDoomed: Bool = false
    ) throws -> SCRAMServer {
        try SCRAMServer(
            mechanism,
            verifier: SCRAMVerifier(password: password, salt: Array("salt".utf8), iterations: 2),
            isDoomed: isDoomed,
            channelBinding: binding,
            randomBytes: [UInt8](repeating: 1, count: 18)
        )
    }

    private func client(
        _ binding: SCRAMClient.Binding = .none,
        _ word: String = "pencil"
    ) throws -> SCRAMClient {
        try SCRAMClient(
            password: Array(word.utf8),
            binding: binding,
            randomBytes: [UInt8](repeating: 2, count: 18)
        )
    }

    // RFC 7677, section 3: user, password pencil, and the nonces and the salt from there.
    private static let salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    private static let first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    private static let serverFirst =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    private static let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    private static let signature = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

    @Test func `RFC 7677's exchange comes out`() throws {
        let salt = try #require(Base64.decode(Array(Self.salt.utf8)))
        var server = try SCRAMServer(
            .plain,
            verifier: SCRAMVerifier(password: password, salt: salt, iterations: 4_096),
            isDoomed: false,
            channelBinding: nil,
            nonce: Array("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".utf8)
        )
        #expect(text(try server.first(Array(Self.first.utf8))) == Self.serverFirst)
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let final = Array("c=biws,r=\(nonce),p=\(Self.proof)".utf8)
        #expect(try server.final(final) == .accepted(Array("v=\(Self.signature)".utf8)))
    }

    @Test func `base64 is read as it is written, and in no other way`() {
        var random = SeededRandom(test: 9_800)
        for count in 0..<70 {
            let bytes = random.bytes(count)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("foobar".utf8)) == Array("Zm9vYmFy".utf8))
        #expect(Base64.encode(Array("fooba".utf8)) == Array("Zm9vYmE=".utf8))
        for text in [
            "A", "AA", "AAA", "AB==", "AAB=", "AA==AA==", "====", "=AAA", "A===", "AA A",
            "AAA\n", "AAAA\n", "-_AA", "AA=A", "Zm9=vYmE",
        ] {
            #expect(Base64.decode(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func `a verifier of PostgreSQL's is the one that is made here`() throws {
        // Made by PostgreSQL 15 of the password pencil.
        let made = try recorded("verifier.txt").split(separator: "\n").map(String.init)
        for line in made {
            let theirs = try #require(SCRAMVerifier(line))
            #expect(theirs.description == line)
            let ours = try SCRAMVerifier(
                password: password,
                salt: theirs.salt,
                iterations: theirs.iterations
            )
            #expect(ours == theirs)
        }
        #expect(!made.isEmpty)
    }

    @Test func `both sides agree, with a channel and without`() throws {
        let hash = [UInt8](repeating: 9, count: 32)
        let pairs: [(SCRAMClient.Binding, SCRAMMechanism, [UInt8]?)] = [
            (.none, .plain, nil), (.notOffered, .plain, nil), (.endPoint(hash), .plus, hash),
            (.none, .plain, hash),
        ]
        for (binding, mechanism, offered) in pairs {
            var client = try client(binding)
            var server = try server(mechanism, binding: offered)
            let answer = try client.final(try server.first(client.first))
            guard case .accepted(let signature) = try server.final(answer) else {
                Issue.record("refused with \(binding)")
                continue
            }
            try client.finish(signature)
            #expect(throws: WireError.self) { try client.finish(signature + [0x41]) }
        }
    }

    @Test func `a wrong password and a user whom there is not are both refused`() throws {
        var client = try client(.none, "pencils")
        var one = try server()
        #expect(try one.final(try client.final(try one.first(client.first))) == .rejected)
        var right = try self.client()
        var doomed = try server(isDoomed: true)
        #expect(try doomed.final(try right.final(try doomed.first(right.first))) == .rejected)
    }

    @Test func `a client that was told that there is no PLUS is a downgrade`() throws {
        var server = try server(binding: [1, 2, 3])
        let client = try client(.notOffered)
        let error = #expect(throws: WireError.self) { try server.first(client.first) }
        #expect(error?.state == .invalidAuthorization)
        #expect(error?.message == "SCRAM channel binding negotiation error")
    }

    @Test func `another channel's hash is refused`() throws {
        var client = try client(.endPoint([1, 2, 4]))
        var server = try server(.plus, binding: [1, 2, 3])
        let answer = try client.final(try server.first(client.first))
        let error = #expect(throws: WireError.self) { try server.final(answer) }
        #expect(error?.message == "SCRAM channel binding check failed")
        #expect(throws: WireError.self) { try self.server(.plus, binding: nil) }
    }

    @Test(arguments: [
        "", "n", "n,", "n,,", "n,,n=", "n,,r=abc", "n,,n=,r=", "n,,n=,r=a b", "n,,n=,r=é",
        "x,,n=,r=abc", "n,a=me,n=,r=abc", "n,,m=x,n=,r=abc", "n,,n=,r=abc,", "n,,n=,r=abc,1=x",
        "n,,n=,r=abc,x", "p=tls-server-end-point,,n=,r=abc", "p=tls-unique,,n=,r=abc",
        "n,,n=,r=a\0c", "N,,n=,r=abc", "n,,n:,r=abc", ",,n=,r=abc", "y;,n=,r=abc",
    ])
    func `a first message that is not one is refused`(message: String) throws {
        var server = try server()
        #expect(throws: WireError.self) { try server.first(Array(message.utf8)) }
    }

    @Test func `extensions that are not known are passed over, and are part of the proof`() throws {
        var server = try server()
        #expect(throws: Never.self) { try server.first(Array("n,,n=,r=abc,x=1,y=2".utf8)) }
    }

    @Test func `every change of a byte of any message fails, and none traps`() throws {
        for isPlus in [false, true] {
            let hash: [UInt8]? = isPlus ? [5, 6, 7] : nil
            let binding: SCRAMClient.Binding = isPlus ? .endPoint([5, 6, 7]) : .none
            var server = try server(isPlus ? .plus : .plain, binding: hash)
            var client = try client(binding)
            let first = client.first
            let challenge = try server.first(first)
            var fresh = client
            let answer = try client.final(challenge)
            for place in answer.indices {
                for change in [1, 2, 0x20, 0x80] as [UInt8] {
                    var changed = answer
                    changed[place] ^= change
                    var copy = server
                    let verdict = try? copy.final(changed)
                    #expect(verdict == nil || verdict == .rejected, "\(text(changed))")
                }
            }
            for place in challenge.indices {
                var changed = challenge
                changed[place] ^= 1
                var copy = fresh
                guard let other = try? copy.final(changed) else { continue }
                var strict = server
                #expect((try? strict.final(other)) != .accepted([]), "\(text(changed))")
            }
            fresh = client
            guard case .accepted(let signature) = try server.final(answer) else { return }
            for place in signature.indices {
                var changed = signature
                changed[place] ^= 1
                #expect(throws: WireError.self) { try fresh.finish(changed) }
            }
        }
    }

    @Test(arguments: [
        "r=%,s=c2FsdA==,i=4096", "r=%x,s=c2FsdA,i=4096", "r=%x,s=c2FsdB==,i=4096",
        "r=%x,s=,i=4096", "r=%x,s=c2FsdA==,i=0", "r=%x,s=c2FsdA==,i=-1", "r=%x,s=c2FsdA==,i=+1",
        "r=%x,s=c2FsdA==,i=2000000000", "r=%x,s=c2FsdA==,i=100001", "r=%x,s=c2FsdA==,i=01",
        "r=%x,s=c2FsdA==,i=", "r=abc,s=c2FsdA==,i=1", "r=%x,s=c2F sdA==,i=1", "r=%x,i=1",
        "m=x,r=%x,s=c2FsdA==,i=1", "e=other-error", "", "r=%x,s=c2FsdA==,i=99999999999999999999",
    ])
    func `a client refuses what a server must not say`(message: String) throws {
        var client = try client()
        let nonce = text(Array(client.first.dropFirst("n,,n=,r=".count)))
        let filled = message.replacing("%", with: nonce)
        #expect(throws: WireError.self) { try client.final(Array(filled.utf8)) }
    }

    @Test func `messages out of order are refused`() throws {
        var server = try server()
        #expect(throws: WireError.self) { try server.final(Array("c=biws,r=a,p=b".utf8)) }
        var client = try client()
        #expect(throws: WireError.self) { try client.finish(Array("v=AAAA".utf8)) }
        let challenge = try server.first(client.first)
        _ = try client.final(challenge)
        #expect(throws: WireError.self) { try client.final(challenge) }
    }

    @Test func `an unknown user has the same salt each time, and another's is another`() throws {
        let secret = [UInt8](repeating: 3, count: 32)
        func mock(_ user: String, _ secret: [UInt8]) throws -> SCRAMVerifier {
            try SCRAMVerifier.mock(user: Array(user.utf8), secret: secret, iterations: 4_096)
        }
        let first = try mock("ghost", secret)
        #expect(try mock("ghost", secret) == first)
        #expect(first.salt.count == SCRAMVerifier.usualSaltCount)
        #expect(try mock("ghosts", secret).salt != first.salt)
        #expect(try mock("ghost", [4]).salt != first.salt)
    }

    @Test(arguments: [
        "", "SCRAM-SHA-256", "SCRAM-SHA-256$4096:c2FsdA==", "md5abc",
        "scram-sha-256$1:c2FsdA==$%:%",
        "SCRAM-SHA-256$0:c2FsdA==$%:%", "SCRAM-SHA-256$4096:c2FsdA$%:%",
        "SCRAM-SHA-256$4096:c2FsdA==$%", "SCRAM-SHA-256$4096:c2FsdA==$%:%$",
        "SCRAM-SHA-256$4096:c2FsdA==$%:AAAA", "SCRAM-SHA-256$2000000:c2FsdA==$%:%",
        "SCRAM-SHA-256$ 1:c2FsdA==$%:%", "SCRAM-SHA-256$1:$%:%",
    ])
    func `a text that is no verifier is none`(text: String) {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        #expect(SCRAMVerifier(text.replacing("%", with: key)) == nil)
        #expect(SCRAMVerifier("SCRAM-SHA-256$1:c2FsdA==$\(key):\(key)") != nil)
    }

    @Test func `passwords are brought into PostgreSQL's form`() throws {
        var count = 0
        for line in try recorded("saslprep.txt").split(separator: "\n") {
            let parts = line.split(separator: " ")
            let given = bytes(hex: parts[0])
            let expected = parts[1] == "=" ? given : bytes(hex: parts[1])
            #expect(SASLprep.prepare(given) == expected, "\(parts[0])")
            count += 1
        }
        #expect(count > 1_000)
        for bytes in [[0xFF], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [7], []] as [[UInt8]] {
            #expect(SASLprep.prepare(bytes) == bytes)
        }
    }
}
