import BranchServer
import Foundation
import Glibc
import Oxbow
import ServerFixture
import Testing

/// Forks that run before anybody has asked for them.
@Suite(
    .serialized,
    .enabled(
        if: RunningServer.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no fork was prepared"
    )
)
struct PreparedForkTests {
    private static let one = "1"

    /// The computes of forks that are ready, and of no branch that is shown.
    private func prepared(_ server: RunningServer) throws -> [[Substring]] {
        try server.sql("oxbow", "SHOW COMPUTES").split(separator: "\n")
            .map { $0.split(separator: "|", omittingEmptySubsequences: false) }
            // While it is made, the server has a session on it.
            .filter { $0[0].hasPrefix("prepared-") && $0[2] == "ready" && $0[4] == "0" }
    }

    private func process(of branch: String, _ server: RunningServer) throws -> Substring? {
        try server.sql("oxbow", "SHOW COMPUTES").split(separator: "\n")
            .map { $0.split(separator: "|", omittingEmptySubsequences: false) }
            .first { $0[0] == branch && $0[2] == "ready" }?[3]
    }

    /// Makes branches until one has the compute that was ready: PostgreSQL writes by itself now and
    /// then, and what was made of the record before is of no use.
    private func branchWithReadyCompute(
        _ server: RunningServer,
        _ name: String,
        _ create: (String) throws -> Void
    ) throws -> String {
        for attempt in 1...5 {
            #expect(try server.wait { try prepared(server).count == 1 })
            let ready = try prepared(server).first?[3]
            let made = "\(name)\(attempt)"
            try create(made)
            if let ready, try process(of: made, server) == ready { return made }
            try server.sql("oxbow", "DROP BRANCH \(made)")
        }
        Issue.record("no fork had the compute that was ready")
        return "main"
    }

    @Test func `the next fork of a branch that rests has a compute already`() throws {
        let server = try RunningServer.new(Self.one)
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        try server.sql("oxbow", "CREATE BRANCH a FROM main")
        #expect(try server.wait { try prepared(server).count == 1 })
        #expect(try server.branches() == ["main", "a"])
        let b = try branchWithReadyCompute(server, "b") {
            try server.sql("oxbow", "CREATE BRANCH \($0) FROM main TTL '1h'")
        }
        let process = try process(of: b, server)
        let shown = try server.sql("oxbow", "SHOW BRANCHES").split(separator: "\n")
        let row = try #require(shown.first { $0.hasPrefix("\(b)|") })
            .split(separator: "|", omittingEmptySubsequences: false)
        #expect(row[1] == "main" && row[4] == "postgres" && !row[7].isEmpty)
        let ask = "DELETE FROM t WHERE n > 30; SELECT count(*) FROM t; SHOW oxbow.branch"
        #expect(try server.sql("postgres@\(b)", ask) == "30\n\(b)")
        #expect(try server.sql("postgres", "SELECT count(*) FROM t") == "32")
        #expect(try self.process(of: b, server) == process)

        // One for a connection goes with it, and so does its compute.
        #expect(try server.wait { try prepared(server).count == 1 })
        let next = try #require(pid_t(String(prepared(server)[0][3])))
        let said = try server.sql("postgres@main+", "DROP TABLE t; SHOW oxbow.branch")
        #expect(said.hasPrefix("connection-"))
        #expect(try server.wait { kill(next, 0) != 0 })
        #expect(try server.wait { try server.branches() == ["main", "a", b] })

        // A name that is taken costs nothing, and one that is stopped is started again.
        let c = try branchWithReadyCompute(server, "c") { name in
            let refused = try server.sql("oxbow", "CREATE BRANCH a FROM main")
            #expect(refused.contains("exists already"))
            try server.sql("oxbow", "CREATE BRANCH \(name) FROM main")
        }
        try server.sql("oxbow", "SUSPEND \(c)")
        #expect(try server.sql("postgres@\(c)", "SELECT count(*) FROM t") == "32")
        try server.sql("oxbow", "RENAME BRANCH \(c) TO d")
        #expect(try server.sql("postgres@d", "SELECT count(*) FROM t") == "32")
        try server.end()
    }

    @Test func `a fork has all that was done before it, whatever was prepared`() throws {
        let server = try RunningServer.new(Self.one)
        try server.sql("postgres", "CREATE TABLE t (n int)")
        for round in 1...6 {
            // Forks of a branch at rest, of one that has just changed, and in between.
            if round == 3 || round == 6 {
                #expect(try server.wait { try prepared(server).count == 1 })
            }
            let before = try prepared(server).first?[3]
            try server.sql("postgres", "INSERT INTO t VALUES (\(round))")
            if round % 2 == 0 { usleep(UInt32(round) * 60_000) }
            try server.sql("oxbow", "CREATE BRANCH b\(round) FROM main")
            let said = try server.sql("postgres@b\(round)", "SELECT count(*), max(n) FROM t")
            #expect(said == "\(round)|\(round)")
            if let before {
                #expect(try process(of: "b\(round)", server) != before)
            }
            try server.sql("oxbow", "DROP BRANCH b\(round)")
        }
        // One that nobody took goes with a server that is killed.
        #expect(try server.wait { try prepared(server).count == 1 })
        server.kill()
        try server.start([Self.one])
        #expect(try server.branches() == ["main"])
        #expect(try prepared(server).isEmpty)
        #expect(try server.sql("postgres", "SELECT count(*) FROM t") == "6")
        try server.end()
    }

    @Test func `nobody comes to what is prepared by its name`() throws {
        let server = try RunningServer.new(Self.one)
        try server.sql("oxbow", "CREATE BRANCH a FROM main")
        #expect(try server.wait { try prepared(server).count == 1 })
        let name = String(try prepared(server)[0][0])
        #expect(try server.sql("postgres@\(name)", "SELECT 1").contains("does not exist"))
        for statement in [
            "RENAME BRANCH x TO y", "SET DEFAULT BRANCH x", "CREATE BRANCH y FROM x",
            "DROP BRANCH x", "RESET BRANCH x TO 'head'", "SUSPEND x", "SHOW HISTORY FOR x",
        ] {
            let text = statement.replacingOccurrences(of: " x", with: " \"\(name)\"")
            let said = try server.sql("oxbow", text)
            #expect(said.contains("does not exist"), "\(statement): \(said)")
        }
        let taken = "CREATE BRANCH IF NOT EXISTS \"\(name)\" FROM main"
        #expect(try server.sql("oxbow", taken).contains("exists already"))
        try server.sql("oxbow", "DROP BRANCH a")
        #expect(try server.branches() == ["main"])
        try server.end()
    }

    private func protectOthers(in data: String) throws {
        let store = try Store.open(data)
        for info in try store.branches() where info.name != "main" {
            try store.branch(info.id).protect()
        }
        try store.close()
    }

    @Test func `what is the server's own goes though somebody protected it`() throws {
        let server = try RunningServer.new()
        let holder = try server.start(
            "exec psql -X -q -d '\(server.url("postgres@main+"))' -c 'SELECT pg_sleep(600)'"
        ).0
        #expect(try server.wait { try server.branches().count == 2 })
        server.kill()
        holder.waitUntilExit()
        try protectOthers(in: server.data)
        try server.start()
        #expect(try server.branches() == ["main"])
        try server.end()
    }

    @Test func `one of many who make the same branch at once makes it`() throws {
        let server = try RunningServer.new(Self.one)
        for round in 0..<5 {
            let statement = "CREATE BRANCH IF NOT EXISTS b\(round) FROM main"
            let shells = try (0..<6).map { _ in
                try server.start(
                    "psql -X -q -At -d '\(server.url("oxbow"))' -c '\(statement)' 2>&1"
                )
            }
            for (shell, output) in shells {
                shell.waitUntilExit()
                let said = String(
                    decoding: output.fileHandleForReading.readDataToEndOfFile(),
                    as: UTF8.self
                )
                #expect(shell.terminationStatus == 0, "\(said)")
            }
        }
        try server.end()
    }

    @Test func `of a branch that is gone or not forked any more none is kept`() throws {
        let server = try RunningServer.new(Self.one)
        try server.sql("oxbow", "CREATE BRANCH a FROM main; CREATE BRANCH b FROM a")
        #expect(try server.wait { try prepared(server).count == 1 })
        let ofA = try prepared(server)[0][3]
        try server.sql("oxbow", "CREATE BRANCH c FROM main")
        #expect(try server.wait { try prepared(server).first.map { $0[3] != ofA } ?? false })
        try server.sql("oxbow", "CREATE BRANCH d FROM b")
        #expect(try server.wait { try prepared(server).count == 1 })
        let ofB = try #require(pid_t(String(prepared(server)[0][3])))
        try server.sql("oxbow", "DROP BRANCH b")
        #expect(try server.wait { kill(ofB, 0) != 0 })
        #expect(try prepared(server).isEmpty)
        try server.end()
    }
}
