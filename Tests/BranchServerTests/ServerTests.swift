import Foundation
import ServerFixture
import Testing

/// A whole branch server: psql on any branch, at any moment.
@Suite(
    .serialized,
    .enabled(
        if: ServedStore.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no server was tested"
    )
)
struct ServerTests {
    private static func now() -> String {
        let form = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return Date.now.formatted(form)
    }

    @Test func `a branch and a moment are named by the database, by options or by a socket`() throws
    {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        let then = Self.now()
        Thread.sleep(forTimeInterval: 0.1)
        try server.sql("oxbow", "CREATE BRANCH pr-1 FROM main TTL '1h'")
        try server.sql("postgres@pr-1", "DELETE FROM t WHERE n > 10")
        #expect(
            try server.sql("postgres@pr-1", "SELECT count(*) FROM t; SHOW oxbow.branch")
                == "10\npr-1"
        )
        #expect(try server.sql("postgres", "SELECT count(*) FROM t") == "32")
        try server.sql("postgres", "DELETE FROM t")

        let past = try server.sql(
            "postgres@main@\(then)",
            "SELECT count(*) FROM t; SHOW oxbow.time"
        )
        let lines = past.split(separator: "\n")
        #expect(
            lines.first?.hasPrefix("NOTICE:  \(then) of branch \"main\" is the record L") == true
        )
        #expect(lines.contains("32"), "\(past)")
        let write = try server.sql("postgres@main@\(then)", "INSERT INTO t VALUES (1)")
        #expect(write.contains("cannot execute INSERT in a read-only transaction"))
        let lift = "SET default_transaction_read_only = off; SET transaction_read_only = off"
        #expect(try server.sql("postgres@main@\(then)", lift).contains("ERROR"))

        let options = "PGOPTIONS='-c oxbow.branch=main -c oxbow.at=\(then)'"
        let asked = "psql -X -q -At -d '\(server.url)' -c 'SELECT count(*) FROM t'"
        #expect(try server.run("\(options) \(asked) 2>/dev/null").said == "32")
        let password = try #require(URLComponents(string: server.url)?.password)
        let socket = try server.runFolder() + "/branches/pr-1"
        let there = try server.run(
            "PGPASSWORD='\(password)' psql -h \(socket) -U postgres -X -q -At postgres",
            "SELECT count(*) FROM t"
        )
        #expect(there.said == "10")
        try server.end()
    }

    @Test func `a fork of its own goes with the connection`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        let said = try server.sql(
            "postgres@main+",
            "DELETE FROM t; SELECT count(*) FROM t; SHOW oxbow.branch"
        )
        let lines = said.split(separator: "\n")
        #expect(lines.first == "0")
        #expect(lines.last?.hasPrefix("connection-") == true)
        #expect(try server.sql("postgres", "SELECT count(*) FROM t") == "32")
        #expect(try server.wait { try server.branches() == ["main"] })
        let run = try server.runFolder()
        for computes in [run + "/computes", server.data + "/server/computes"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: computes)
            #expect(names.filter { !$0.hasPrefix("waiting-") }.count == 1, "\(names)")
        }

        // One whose server was killed is gone with the next.
        let held = try server.start(
            "psql -X -q -d '\(server.url("postgres@main+"))' -c 'SELECT pg_sleep(60)'"
        ).0
        #expect(try server.wait { try server.branches().count == 2 })
        server.kill()
        held.waitUntilExit()
        try server.start()
        #expect(try server.branches() == ["main"])
        #expect(try server.sql("postgres", "SELECT count(*) FROM t") == "32")
        try server.end()
    }

    @Test func `a branch that is set back, renamed or dropped ends its sessions first`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        func sleeper() throws -> (Process, Pipe) {
            let made = try server.start(
                "psql -X -q -At -d '\(server.url("postgres@b"))' -c 'SELECT pg_sleep(600)' 2>&1"
            )
            let isThere = try server.wait {
                try server.sql("oxbow", "SHOW SESSIONS").contains("b|postgres|postgres|active")
            }
            #expect(isThere)
            return made
        }
        func end(_ sleeper: (Process, Pipe)) -> String {
            sleeper.0.waitUntilExit()
            return String(decoding: sleeper.1.fileHandleForReading.availableData, as: UTF8.self)
        }
        try server.sql("postgres@b", "CHECKPOINT")
        let before = try server.sql("oxbow", "SHOW POINT b AT head").prefix { $0 != "|" }
        try server.sql("postgres@b", "DELETE FROM t")
        var sleeping = try sleeper()
        try server.sql("oxbow", "RESET b TO \(before)")
        #expect(end(sleeping).contains("terminating connection"))
        #expect(try server.sql("postgres@b", "SELECT count(*) FROM t") == "32")
        try server.sql("oxbow", "UNDO b")
        #expect(try server.sql("postgres@b", "SELECT count(*) FROM t") == "0")
        sleeping = try sleeper()
        try server.sql("oxbow", "RENAME BRANCH b TO c")
        #expect(end(sleeping).contains("terminating connection"))
        #expect(try server.sql("postgres@c", "SELECT count(*) FROM t") == "0")
        try server.sql("oxbow", "DROP BRANCH c")
        let gone = try server.sql("postgres@c", "SELECT 1")
        #expect(gone.contains("branch \"c\" does not exist"))
        try server.sql("oxbow", "UNDELETE c")
        #expect(try server.sql("postgres@c", "SELECT count(*) FROM t") == "0")
        try server.end()
    }

    @Test func `a branch that expires ends its sessions`() throws {
        let server = try RunningServer.new()
        try server.sql("oxbow", "CREATE BRANCH brief FROM main TTL '3s'")
        let said = try server.sql("postgres@brief", "SELECT pg_sleep(600)")
        #expect(said.contains("terminating connection due to administrator command"), "\(said)")
        for _ in 0..<40 where try server.branches() != ["main"] { usleep(100_000) }
        #expect(try server.branches() == ["main"])
        try server.end()
    }

    #if !THREAD_SANITIZER
    // With it no start is over within the second.
    @Test func `a branch of one second can be used`() throws {
        let server = try RunningServer.new()
        // Nor where much else goes on, at times.
        let letIn = try (1...20).contains { turn in
            try server.sql("oxbow", "CREATE BRANCH brief\(turn) FROM main TTL '1s'")
            return try server.sql("postgres@brief\(turn)", "SELECT 1") == "1"
        }
        #expect(letIn)
        try server.end()
    }
    #endif

    @Test func `many who come at once wait for one start`() throws {
        let server = try RunningServer.new()
        let script = """
            for i in $(seq 12); do
                psql -X -q -At -d '\(server.url)' -c 'SELECT 1' &
            done
            wait
            """
        #expect(
            try server.run(script).said == Array(repeating: "1", count: 12).joined(separator: "\n")
        )
        let computes = try server.sql("oxbow", "SHOW COMPUTES")
            .split(separator: "|", omittingEmptySubsequences: false)
        #expect(computes.count > 5 && computes[5] == "1", "\(computes)")
        try server.end()
    }

    @Test func `roles that the log shows unchanged are not asked for, and all others are`() throws {
        let server = try RunningServer.new()
        func enter(_ branch: String, _ password: String) throws -> Bool {
            let said = try server.sql(
                "postgres@\(branch)",
                "SELECT 1",
                user: "app",
                password: password
            )
            #expect(said == "1" || said.contains("password authentication failed"), "\(said)")
            return said == "1"
        }
        try server.sql("postgres", "ALTER SYSTEM SET log_connections = on")
        try server.sql("postgres", "SELECT pg_reload_conf(); CREATE TABLE t (n int)")
        try server.sql("postgres", "CREATE ROLE app LOGIN PASSWORD 'one'")
        // The client's own session is the only one that there was; mostly: PostgreSQL may just
        // have something to write.
        let logs = "\(server.data)/server/computes"
        let count = "grep -rlE 'authorized: user=app' \(logs) | xargs grep -ch ' authorized: user='"
        let isAlone = try ["a", "b", "c", "d", "e"].contains { branch in
            try server.sql("oxbow", "CREATE BRANCH \(branch) FROM main")
            #expect(try enter(branch, "one"))
            return try server.run(count + " | grep -x 1").status == 0
        }
        #expect(isAlone)
        try server.sql("oxbow", "CREATE BRANCH own FROM main")

        let changes = [
            "ALTER ROLE app PASSWORD 'two'",
            "VACUUM FULL pg_authid; ALTER ROLE app PASSWORD 'three'",
            "BEGIN; INSERT INTO t VALUES (1); ALTER ROLE app PASSWORD 'four'; COMMIT; CHECKPOINT",
            "INSERT INTO t SELECT generate_series(1, 100000); ALTER ROLE app PASSWORD 'five'",
        ]
        let passwords = ["one", "two", "three", "four", "five"]
        for (index, change) in changes.enumerated() {
            try server.sql("postgres", change)
            try server.sql("oxbow", "CREATE BRANCH c\(index) FROM main")
            for branch in ["main", "c\(index)"] {
                #expect(try !enter(branch, passwords[index]), "\(branch): \(change)")
                #expect(try enter(branch, passwords[index + 1]), "\(branch): \(change)")
            }
        }
        try server.sql("postgres@own", "ALTER ROLE app PASSWORD 'own'")
        #expect(try !enter("own", "one"))
        #expect(try enter("own", "own"))
        try server.sql("oxbow", "SUSPEND own")
        #expect(try !enter("own", "one"))
        #expect(try enter("own", "own"))
        #expect(try enter("c0", "two"))
        try server.end()
    }

    @Test func `who may log in is the branch's own, and known before anything runs`() throws {
        let server = try RunningServer.new()
        func count(_ database: String, _ user: String, _ password: String) throws -> String {
            try server.sql(database, "SELECT 1", user: user, password: password)
        }
        try server.sql("postgres", "CREATE ROLE app LOGIN PASSWORD 'one'; CHECKPOINT")
        let then = Self.now()
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        try server.sql("postgres", "ALTER ROLE app PASSWORD 'two'")
        #expect(try count("postgres", "app", "two") == "1")
        #expect(try count("postgres", "app", "one").contains("password authentication failed"))
        // Who guesses is to be seen.
        let log = server.folder + "/data/server/log/current.log"
        let line = "127.0.0.1: password authentication failed for user \"app\""
        let wait = "for n in $(seq 50); do grep -F '\(line)' '\(log)' && break; sleep 0.1; done"
        #expect(try server.run(wait).said.hasSuffix(line))
        // Names of branches are told to nobody who is not in, and the store's files to nobody else.
        let run = try server.runFolder()
        let modes = try server.run("stat -c %a '\(server.data)' '\(run)' '\(run)/branches'").said
        #expect(modes == "700\n711\n711")
        // It was forked with the old one.
        #expect(try count("postgres@b", "app", "two").contains("password authentication failed"))
        #expect(try !server.sql("oxbow", "SHOW COMPUTES").contains("b|"))
        #expect(try count("postgres@b", "app", "one") == "1")
        // The past is entered with what holds now.
        #expect(try count("postgres@main@\(then)", "app", "two").hasSuffix("1"))
        #expect(
            try count("postgres@main@\(then)", "app", "one").contains("authentication failed")
        )
        // Names of branches are told to nobody who is not in.
        #expect(try count("postgres@nothing", "app", "no").contains("authentication failed"))
        #expect(try count("postgres@nothing", "nobody", "no").contains("authentication failed"))
        // Branches are changed by superusers, and looked at by all.
        func console(_ text: String) throws -> String {
            try server.sql("oxbow", text, user: "app", password: "two")
        }
        #expect(try console("SHOW BRANCHES").contains("main"))
        #expect(try console("CREATE BRANCH c").contains("permission denied"))

        // Killed and started again, it knows as much.
        try server.sql("postgres", "ALTER ROLE app PASSWORD 'three'")
        #expect(try count("postgres", "app", "three") == "1")
        server.kill()
        try server.start()
        #expect(try count("postgres", "app", "two").contains("authentication failed"))
        #expect(try count("postgres", "app", "three") == "1")
        try server.end()
    }

    @Test func `a position of PostgreSQL's log is a moment`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t (n int)")
        var positions: [String] = []
        for number in 1...3 {
            try server.sql("postgres", "INSERT INTO t VALUES (\(number))")
            positions.append(try server.sql("postgres", "SELECT pg_current_wal_flush_lsn()"))
        }
        for (index, position) in positions.enumerated() {
            let said = try server.sql("postgres@main@\(position)", "SELECT max(n) FROM t")
            #expect(said.hasSuffix("\(index + 1)"), "\(said)")
        }
        let beyond = try server.sql("postgres@main@7/0", "SELECT 1")
        #expect(beyond.contains("FATAL"), "\(beyond)")
        let shown = try server.sql("oxbow", "SHOW POINT main AT '\(positions[0])'")
        #expect(shown.hasPrefix("L"), "\(shown)")
        try server.end()
    }
}
