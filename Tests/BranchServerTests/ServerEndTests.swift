import Foundation
import Glibc
import ServerFixture
import Testing

/// How a server ends, whoever is in its way.
@Suite(
    .serialized,
    .enabled(
        if: RunningServer.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no server was ended"
    )
)
struct ServerEndTests {
    @Test func `a server ends while somebody else has a copy of its mount`() throws {
        let server = try RunningServer.new()
        let mount = try server.runFolder() + "/mnt/all"
        let copy = try server.start("exec unshare -m --propagation private sleep 600").0
        defer {
            kill(copy.processIdentifier, SIGKILL)
            copy.waitUntilExit()
        }
        let process = "/proc/\(copy.processIdentifier)"
        let look = "grep -qx sleep \(process)/comm && grep -F '\(mount) ' \(process)/mounts"
        #expect(try server.wait { try server.run(look).status == 0 })
        try server.sql("postgres", "SELECT 1")
        try server.end()
    }

    /// A session that has begun is told that it ends. One that has not begun waits for what is done
    /// to the branch.
    @Test func `who comes while a branch is stopped gets in afterwards`() throws {
        let server = try RunningServer.new()
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        let script = """
            for i in $(seq 25); do
                psql -X -q -At -d '\(server.url("postgres@b"))' -c 'SELECT 1' 2>&1
            done
            """
        let knockers = try (0..<3).map { _ in try server.start(script) }
        var stops = 0
        while knockers.contains(where: \.0.isRunning) {
            try server.sql("oxbow", "SUSPEND b")
            stops += 1
            usleep(500_000)
        }
        var counts: [String: Int] = [:]
        for (shell, output) in knockers {
            shell.waitUntilExit()
            let said = String(
                decoding: output.fileHandleForReading.readDataToEndOfFile(),
                as: UTF8.self
            )
            for line in said.split(separator: "\n") { counts[String(line), default: 0] += 1 }
        }
        #expect(stops > 1 && counts["1", default: 0] > 10, "\(stops) \(counts)")
        #expect(!counts.keys.contains { $0.contains("try again") }, "\(counts)")
        #expect(!counts.keys.contains { $0.contains("Try again") }, "\(counts)")
        try server.end()
    }

    @Test func `a compute has no mount of another server's`() throws {
        let (server, other) = (try RunningServer.new(), try RunningServer.new())
        let mount = try other.runFolder() + "/mnt/all"
        try server.sql("postgres", "CREATE TABLE said (line text)")
        let look = "cat /proc/self/mounts; ls -R \(mount) 2>&1 || :"
        try server.sql("postgres", "COPY said FROM PROGRAM '\(look)'")
        let said = try server.sql("postgres", "SELECT line FROM said")
        #expect(said.contains("fuse.oxbow"))
        #expect(!said.contains(mount + " ") && !said.contains("pgdata"), "\(said)")
        try server.end()
        try other.end()
    }

    /// Between its making and its program, a process of a compute's could have all that the server
    /// has open.
    @Test func `a server that is killed while it starts a compute leaves nobody behind`() throws {
        let server = try RunningServer.new()
        let slow = try server.start(
            "exec strace -f -qq -e trace=mount -e inject=mount:delay_enter=1000000 -o /dev/null "
                + "-p \(server.processID)"
        ).0
        let tracer = slow.processIdentifier
        #expect(
            try server.wait {
                let look = "grep -w '^TracerPid:.\(tracer)' /proc/\(server.processID)/status"
                return try server.run(look).status == 0
            }
        )
        let knocker = try server.start("psql -X -d '\(server.url)' -c 'SELECT 1'").0
        let children = "/proc/\(server.processID)/task/*/children"
        #expect(try server.wait { try !server.run("cat \(children)").said.isEmpty })
        server.kill()
        slow.waitUntilExit()
        knocker.waitUntilExit()
        // Neither the store's lock nor the mount is held.
        try server.start()
        #expect(try server.sql("postgres", "SELECT 1") == "1")
        try server.end()
    }
}
