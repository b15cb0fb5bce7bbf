import Foundation
import Glibc
import ServerFixture
import Testing

/// A PostgreSQL that waits for the next fork.
@Suite(
    .serialized,
    .enabled(
        if: RunningServer.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: none waited"
    )
)
struct WaitingPostgresTests {
    /// So many forks kept ready.
    private static let none = "0"

    /// Who waits, by the lock that it holds, once it stands at its settings.
    private func waiting(_ server: RunningServer, but earlier: pid_t = 0) throws -> pid_t {
        var found: pid_t = 0
        let folder = try server.runFolder() + "/computes/waiting"
        let script = """
            for process in /proc/[0-9]*; do
                [ "$(readlink $process/fd/3)" = '\(folder)/lock' ] && echo ${process#/proc/}
            done | sort -n
            """
        let isThere = try server.wait {
            let processes = try server.run(script).said.split(separator: "\n")
            found = processes.first.flatMap { pid_t($0) } ?? 0
            return processes.count == 2 && found != earlier
        }
        #expect(isThere)
        // Its program is loaded, and opens the pipe.
        usleep(200_000)
        return found
    }

    private func process(of branch: String, _ server: RunningServer) throws -> pid_t? {
        let rows = try server.sql("oxbow", "SHOW COMPUTES").split(separator: "\n")
            .map { $0.split(separator: "|", omittingEmptySubsequences: false) }
        let row = rows.first { $0[0] == branch && $0[2] == "ready" }
        return row.flatMap { pid_t($0[3]) }
    }

    @Test func `a fork goes on with the process that waits, and keeps what it sees`() throws {
        let server = try RunningServer.new(Self.none)
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        var earlier: pid_t = 0
        for branch in ["a", "b"] {
            let process = try waiting(server, but: earlier)
            try server.sql("oxbow", "CREATE BRANCH \(branch) FROM main")
            #expect(try server.sql("postgres@\(branch)", "SELECT count(*) FROM t") == "32")
            #expect(try self.process(of: branch, server) == process)
            earlier = process
        }
        // The next one has been made, in the same place. PostgreSQL opens some files by their
        // whole path, as here the control file.
        _ = try waiting(server, but: earlier)
        for branch in ["a", "b"] {
            let work = "CHECKPOINT; CREATE TABLE u AS SELECT * FROM t; SELECT count(*) FROM u"
            #expect(try server.sql("postgres@\(branch)", work) == "32")
            let files = "SELECT count(*) FROM pg_ls_dir('\(try server.runFolder())/mnt') WHERE "
            #expect(
                try server.sql("postgres@\(branch)", files + "pg_ls_dir NOT LIKE '.%'") == "1"
            )
        }
        #expect(try server.sql("postgres@a", "SHOW full_page_writes") == "off")
        #expect(try server.sql("postgres@a", "SELECT pg_reload_conf()") == "t")
        let lines = "SELECT count(*) > 3 FROM pg_file_settings WHERE error IS NULL"
        #expect(try server.sql("postgres@a", lines) == "t")
        for branch in ["a", "b"] {
            try server.sql("oxbow", "SUSPEND \(branch)")
            #expect(try server.sql("postgres@\(branch)", "SELECT count(*) FROM u") == "32")
        }
        try server.end()
    }

    @Test func `who waited and is gone is not missed`() throws {
        let server = try RunningServer.new(Self.none)
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        let process = try waiting(server)
        Glibc.kill(process, SIGKILL)
        try server.sql("oxbow", "CREATE BRANCH a FROM main")
        #expect(try server.sql("postgres@a", "SELECT count(*) FROM t") == "32")
        let next = try waiting(server, but: process)
        server.kill()
        #expect(try server.wait { Glibc.kill(next, 0) != 0 })
        try server.start([Self.none])
        #expect(try server.sql("postgres@a", "SELECT count(*) FROM t") == "32")
        try server.sql("oxbow", "CREATE BRANCH b FROM a")
        #expect(try server.sql("postgres@b", "SELECT count(*) FROM t") == "32")
        try server.end()
    }
}
