import BranchServer
import Foundation
import PostgresWire
import Testing

/// Says once, where everybody sees it, that the tests with a real PostgreSQL were left out.
private let needsPostgres: Bool = {
    if !FrontPostgres.isInstalled {
        FileHandle.standardError.write(
            Data("SKIPPED: no PostgreSQL 15, so the front is not tested with it\n".utf8)
        )
    }
    return FrontPostgres.isInstalled
}()

@Suite(.serialized, .enabled(if: needsPostgres, "PostgreSQL 15 is not installed"))
struct FrontLoginTests {
    @Test func `the right password gets in, and no other`() throws {
        let fixture = try FrontFixture()
        #expect(FrontPostgres.psql([fixture.tcp(), "-c", "select 1"]).said == "1\n")
        for (password, user) in [("wrong", "app"), (FrontPostgres.password, "nobody")] {
            let result = FrontPostgres.psql(
                ["host=localhost port=\(fixture.port) user=\(user) dbname=app", "-c", "select 1"],
                password: password
            )
            #expect(result.status == 2)
            #expect(result.said.contains("password authentication failed for user \"\(user)\""))
        }
    }

    @Test(arguments: [
        "sslmode=disable", "sslmode=require", "sslmode=require channel_binding=require",
        "sslmode=verify-full",
        "sslmode=require ssl_min_protocol_version=TLSv1.2 "
            + "ssl_max_protocol_version=TLSv1.2 channel_binding=require",
    ])
    func `a client comes in by TLS or without`(mode: String) throws {
        let fixture = try FrontFixture()
        let root = "sslrootcert=\(fixture.certificatePath)"
        let result = FrontPostgres.psql([fixture.tcp("\(mode) \(root)"), "-c", "select 1"])
        #expect(result.said == "1\n")
    }

    @Test func `a certificate for another name is refused by the client`() throws {
        let fixture = try FrontFixture()
        let root = "sslmode=verify-full sslrootcert=\(fixture.certificatePath)"
        let result = FrontPostgres.psql([
            fixture.tcp(root).replacing("localhost", with: "127.0.0.2"), "-c", "select 1",
        ])
        #expect(result.status == 2)
    }

    @Test(arguments: [("postgresql", true), ("h2", false), ("http/1.1", false)])
    func `TLS from the first byte must name the protocol`(name: String, isTaken: Bool) throws {
        let fixture = try FrontFixture()
        let result = FrontPostgres.run(
            "/usr/bin/openssl",
            ["s_client", "-connect", "127.0.0.1:\(fixture.port)", "-alpn", name]
        )
        #expect(result.said.contains("ALPN protocol: postgresql") == isTaken)
        #expect(result.said.contains("no application protocol") == !isTaken)
    }

    @Test func `what is wrong with a key is said`() throws {
        let fixture = try FrontFixture()
        let (certificate, key) = (fixture.certificatePath, fixture.folder + "/server.key")
        let script = """
            cd '\(fixture.folder)'; cp server.key open.key; chmod 640 open.key; chown 1:1 open.key
            openssl pkey -in server.key -aes256 -passout pass:x -out locked.key
            openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
            cp server.key group.key; chmod 640 group.key; chmod 600 locked.key other.key
            """
        try #require(FrontPostgres.run("/bin/sh", ["-c", script]).status == 0)
        for (name, reason) in [
            ("open", "others can come to the key"), ("locked", "is encrypted"),
            ("other", "is not that of the certificate"), ("missing", "No such file"),
        ] {
            let path = fixture.folder + "/\(name).key"
            do {
                _ = try TLSContext(certificatePath: certificate, keyPath: path)
                Issue.record("\(name).key was taken")
            } catch {
                #expect(error.description.contains(reason), "\(error)")
                #expect(error.description.contains(path), "\(error)")
            }
        }
        for path in [key] + (geteuid() == 0 ? [fixture.folder + "/group.key"] : []) {
            _ = try TLSContext(certificatePath: certificate, keyPath: path)
        }
    }

    /// A request to cancel by a key that there is not; a start-up without a user; no packet.
    @Test(arguments: [
        "\\0\\0\\0\\020\\004\\322\\026\\056\\0\\0\\0\\1\\0\\0\\0\\1", "\\0\\0\\0\\010\\0\\3\\0\\0",
        "\\0\\0\\0\\0",
    ])
    func `the end of TLS is told`(packet: String) throws {
        let fixture = try FrontFixture()
        let client = "/usr/bin/openssl s_client -starttls postgres -quiet -connect"
        let result = FrontPostgres.run(
            "/bin/sh",
            ["-c", "printf '\(packet)' | timeout 60 \(client) localhost:\(fixture.port)"]
        )
        #expect(!result.said.contains("unexpected eof"), "\(result.said)")
        #expect(result.status == 0, "\(result.said)")
    }

    @Test func `bytes between asking for TLS and having it end the connection`() throws {
        let fixture = try FrontFixture()
        for extra in [1, 8, 4_000] {
            let client = try FrontClient(port: fixture.port)
            let request: [UInt8] = [0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F]
            try client.send(request + [UInt8](repeating: 0x16, count: extra))
            let answer = client.receive()
            #expect(!answer.starts(with: [UInt8(ascii: "S")]))
        }
    }

    @Test func `a socket's folder names the branch, and the settings tell it`() throws {
        let fixture = try FrontFixture()
        let show = ["-c", "show oxbow.branch"]
        let socket = "host=\(fixture.socketFolder) user=app dbname=app"
        #expect(FrontPostgres.psql([socket] + show).said == "pr-1432\n")
        #expect(FrontPostgres.psql([fixture.tcp()] + show).said == "main\n")
        let named = fixture.tcp(database: "app@pr-1432")
        #expect(FrontPostgres.psql([named] + show).said == "pr-1432\n")
    }

    @Test func `an unknown branch is refused with the nearest names`() throws {
        let fixture = try FrontFixture()
        let result = FrontPostgres.psql([
            fixture.tcp(database: "app@pr-1423"), "-c", "select 1",
        ])
        #expect(result.said.contains("branch \"pr-1423\" does not exist"))
        #expect(result.said.contains("Perhaps you meant \"pr-1432\"."))
    }

    @Test func `notices of the directory's arrive`() throws {
        let fixture = try FrontFixture { Noticing(fixed: $0) }
        let result = FrontPostgres.psql([fixture.tcp(), "-c", "select 1"])
        #expect(result.said.contains("NOTICE:  snapped to L123"))
        #expect(try FrontClient(fixture).notices.count == 1)
    }

    @Test func `a client that says nothing is let go at its time`() throws {
        let clock = HandClock()
        let fixture = try FrontFixture(clock: clock)
        let silent = try FrontClient(port: fixture.port)
        let session = try FrontClient(fixture)
        clock.advance(seconds: 11)
        #expect(silent.endsInSilence())
        // A session has no such limit.
        #expect(try session.query("select 1") == [["1"]])
    }

    @Test func `whoever waits longest makes room`() throws {
        var limits = FrontLimits()
        limits.unauthenticatedPerAddress = 8
        let fixture = try FrontFixture(limits: limits)
        let silent = try (0..<8).map { _ in try FrontClient(port: fixture.port) }
        // Connections are counted in the order in which they are taken up.
        while fixture.front.counts.unauthenticated < 8 { usleep(1_000) }
        #expect(try FrontClient(fixture).query("select 1") == [["1"]])
        var ended = 0
        for client in silent {
            var descriptor = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
            while fixture.front.counts.unauthenticated > 7 { usleep(1_000) }
            if poll(&descriptor, 1, 0) == 1 { ended += 1 }
        }
        #expect(ended == 1)
    }

    @Test func `nothing that is no start-up packet harms the front`() throws {
        let fixture = try FrontFixture()
        var packets: [[UInt8]] = [
            [], [0], [0, 0, 0, 4], [0, 0, 0, 7, 0, 0, 0], [0x7F, 0xFF, 0xFF, 0xFF],
            [0xFF, 0xFF, 0xFF, 0xFB], [0, 0, 0x27, 0x11, 0, 3, 0, 0], Array("GET / HTTP/1.1".utf8),
            [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0], [0, 0, 0, 8, 4, 0xD2, 0x16, 0x30],
        ]
        packets += (0..<200).map { seed in (0..<40).map { UInt8(truncatingIfNeeded: seed * $0) } }
        for packet in packets {
            let client = try FrontClient(port: fixture.port)
            try client.send(packet)
            client.finishSending()
            while !client.receive().isEmpty {}
        }
        #expect(try FrontClient(fixture).query("select 1") == [["1"]])
    }
}

private struct Noticing: BranchDirectory {
    let fixed: FixedDirectory

    func verifier(for request: ConnectionRequest) -> SCRAMVerifier? {
        fixed.verifier(for: request)
    }
    func open(_ request: ConnectionRequest) throws(Refusal) -> Endpoint {
        var endpoint = try fixed.open(request)
        endpoint.notices = [ServerReport(.notice, state: "00000", "snapped to L123")]
        return endpoint
    }
    func authorize(_ statement: AdminStatement, for user: WireString) {}
    func answer(
        _ statement: AdminStatement,
        for user: WireString
    ) throws(Refusal) -> AdminResult { try fixed.answer(statement, for: user) }
}
