import BranchServer
import DiskIO
import Foundation
import PostgresWire
import Primitives
import Testing

/// A front before the tests' PostgreSQL, with a certificate of its own.
final class FrontFixture {
    let postgres: FrontPostgres
    let front: Front
    let folder: String
    let port: UInt16
    private var isStopped = false

    var certificatePath: String { folder + "/server.crt" }
    var socketFolder: String { folder + "/main" }

    /// What psql is told to connect over TCP.
    func tcp(_ more: String = "", database: String = "app") -> String {
        "host=localhost port=\(port) user=app dbname='\(database)' \(more)"
    }

    init(
        limits: FrontLimits = FrontLimits(),
        clock: any Clock = SystemClock(),
        directory make: ((FixedDirectory) -> any BranchDirectory)? = nil
    ) throws {
        postgres = try FrontPostgres.shared.get()
        folder = "/tmp/oxbow-front-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder + "/main",
            withIntermediateDirectories: true
        )
        try TLSCertificate.make(
            certificatePath: folder + "/server.crt",
            keyPath: folder + "/server.key",
            names: ["localhost", "127.0.0.1"],
            serial: 77
        )
        let fixed = FixedDirectory(
            socketPath: postgres.socketPath,
            verifiers: postgres.verifiers,
            branches: ["main", "pr-1432"]
        )
        var configuration = Front.Configuration(
            directory: make?(fixed) ?? fixed,
            tls: try TLSContext(
                certificatePath: folder + "/server.crt",
                keyPath: folder + "/server.key"
            ),
            mockSecret: Array("secret".utf8),
            clock: clock
        )
        configuration.limits = limits
        front = try Front(configuration)
        port = try front.listen(host: "127.0.0.1", port: 0)
        try front.listen(path: folder + "/main/.s.PGSQL.5432", branch: "pr-1432")
    }

    func stop(graceMilliseconds: Int = 0) {
        guard !isStopped else { return }
        isStopped = true
        front.stop(graceMilliseconds: graceMilliseconds)
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// A clock that stands until it is told to go on.
final class HandClock: Clock, Sendable {
    private let lock = Lock()
    // Safe: under the lock.
    nonisolated(unsafe) private var ahead: UInt64 = 0

    func advance(seconds: UInt64) { lock.withLock { ahead += seconds * 1_000_000_000 } }
    func now() -> UInt64 { monotonic() }
    func monotonic() -> UInt64 { SystemClock().monotonic() + lock.withLock { ahead } }
}
