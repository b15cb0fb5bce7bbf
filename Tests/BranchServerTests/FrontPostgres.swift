import Foundation
import PostgresWire
import Testing

/// One PostgreSQL for all tests of this process, in a temporary folder, on a Unix socket alone.
///
/// Its shell waits on a pipe from us: so it goes when this process does, however that ends.
final class FrontPostgres: Sendable {
    static let binaries = "/usr/lib/postgresql/15/bin"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: binaries + "/postgres")
    static let shared = Result { try FrontPostgres() }

    static let user = "app"
    static let password = "it's a secret"

    let folder: String
    let verifiers: [WireString: SCRAMVerifier]
    private let input = Pipe()
    var socketPath: String { folder + "/.s.PGSQL.5432" }

    private static let script = """
        set -e
        umask 022
        "$1/initdb" -D "$2/data" -U postgres -A trust --no-sync >"$2/initdb.log"
        "$1/postgres" -D "$2/data" -c listen_addresses= -c unix_socket_directories="$2" \
            -c max_connections=300 -c fsync=off >"$2/log" 2>&1 </dev/null &
        read -r _ || true
        kill -QUIT $!
        wait $! || true
        rm -rf "$2/data" "$2"/*.log
        """

    private init() throws {
        folder = "/tmp/oxbow-front-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let process = Process()
        let arguments = ["-c", Self.script, "sh", Self.binaries, folder]
        if geteuid() == 0 {
            // PostgreSQL does not run as root.
            let user = try #require(getpwnam("postgres"))
            chown(folder, user.pointee.pw_uid, user.pointee.pw_gid)
            process.executableURL = URL(filePath: "/usr/sbin/runuser")
            process.arguments = ["-u", "postgres", "--", "/bin/sh"] + arguments
        } else {
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = arguments
        }
        process.standardInput = input
        try process.run()
        verifiers = [
            WireString(Self.user): try SCRAMVerifier(
                password: Array(Self.password.utf8),
                salt: Array("salted for tests".utf8)
            )
        ]
        for _ in 0..<600 {
            if Self.psql(["host=\(folder) user=postgres", "-c", "select 1"]).status == 0 { break }
            usleep(100_000)
        }
        let made = Self.psql([
            "host=\(folder) user=postgres", "-c", "create role app login superuser", "-c",
            "create database app owner app",
        ])
        try #require(made.status == 0, "\(made.said)")
    }

    /// Runs psql, and returns all that it says.
    static func psql(
        _ arguments: [String],
        password: String = password,
        input: String = ""
    ) -> (said: String, status: Int32) {
        run("/usr/bin/psql", ["-XAt", "-v", "ON_ERROR_STOP=1", "-d"] + arguments, password, input)
    }

    static func run(
        _ program: String,
        _ arguments: [String],
        _ password: String = password,
        _ input: String = ""
    ) -> (said: String, status: Int32) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ["PGPASSWORD": password, "PATH": "/usr/bin:/bin"]
        let output = Pipe()
        let given = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = given
        do { try process.run() } catch { return ("\(error)", -1) }
        Thread.detachNewThread {
            try? given.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try? given.fileHandleForWriting.close()
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), process.terminationStatus)
    }
}
