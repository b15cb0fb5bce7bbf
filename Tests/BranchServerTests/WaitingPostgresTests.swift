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

    /// Who waits, by the lock that it holds: two, each with a shell, and none of those before.
    private func waiting(
        _ server: RunningServer,
        but earlier: Set<pid_t> = []
    ) throws -> Set<pid_t> {
        var found: Set<pid_t> = []
        let locks = try server.runFolder() + "/computes/waiting-?/lock"
        let script = "find /proc/[0-9]*/fd -name 3 -lname '\(locks)' -printf '%l %h\\n' || :"
        let areThere = try server.wait {
            let lines = try server.run(script + " 2>/dev/null").said.split(separator: "\n")
            let held = Dictionary(grouping: lines) { $0.prefix { $0 != " " } }
                .mapValues {
                    $0.compactMap { pid_t($0.split(separator: "/").dropLast().last ?? "") }
                }
            found = Set(held.values.filter { $0.count == 2 }.compactMap { $0.min() })
            return found.count == 2 && found.isDisjoint(with: earlier)
        }
        #expect(areThere)
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
        var earlier: Set<pid_t> = []
        for branch in ["a", "b"] {
            let processes = try waiting(server, but: earlier)
            try server.sql("oxbow", "CREATE BRANCH \(branch) FROM main")
            #expect(try server.sql("postgres@\(branch)", "SELECT count(*) FROM t") == "32")
            let process = try #require(try self.process(of: branch, server))
            #expect(processes.contains(process))
            earlier.insert(process)
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

    @Test func `who comes at the same time gets another that waits, or is not held up`() throws {
        let server = try RunningServer.new(Self.none)
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        let processes = try waiting(server)
        for branch in ["a", "b", "c"] {
            try server.sql("oxbow", "CREATE BRANCH \(branch) FROM main")
        }
        let ask = "psql -X -q -At -c 'SELECT count(*) FROM t' -d"
        let all = ["a", "b", "c"].map { "\(ask) '\(server.url("postgres@\($0)"))' &" }
        let said = try server.run((all + ["wait"]).joined(separator: "\n")).said
        #expect(said == "32\n32\n32")
        let computes = try ["a", "b", "c"].compactMap { try process(of: $0, server) }
        #expect(Set(computes).count == 3)
        #expect(!processes.isDisjoint(with: computes))
        _ = try waiting(server, but: Set(computes))
        try server.end()
    }

    @Test func `who waited and is gone is not missed`() throws {
        let server = try RunningServer.new(Self.none)
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        let processes = try waiting(server)
        for process in processes { Glibc.kill(process, SIGKILL) }
        try server.sql("oxbow", "CREATE BRANCH a FROM main")
        #expect(try server.sql("postgres@a", "SELECT count(*) FROM t") == "32")
        let next = try waiting(server, but: processes)
        server.kill()
        #expect(try server.wait { next.allSatisfy { Glibc.kill($0, 0) != 0 } })
        try server.start([Self.none])
        #expect(try server.sql("postgres@a", "SELECT count(*) FROM t") == "32")
        try server.sql("oxbow", "CREATE BRANCH b FROM a")
        #expect(try server.sql("postgres@b", "SELECT count(*) FROM t") == "32")
        try server.end()
    }
}
