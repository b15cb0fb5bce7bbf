import Foundation
import Glibc
import ServerFixture
import Testing

/// What goes with a session, and what no session can do.
@Suite(
    .serialized,
    .enabled(
        if: RunningServer.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no session was tested"
    )
)
struct ServerSessionTests {
    @Test func `a fork of its own goes with a client that is killed, as do others on it`() throws {
        let server = try RunningServer.new()
        func sleeper(_ database: String) throws -> (Process, Pipe) {
            try server.start(
                "exec psql -X -q -At -d '\(server.url(database))' -c 'SELECT pg_sleep(600)' 2>&1"
            )
        }
        let owner = try sleeper("postgres@main+")
        #expect(try server.wait { try server.sql("oxbow", "SHOW SESSIONS").contains("active") })
        let fork = try #require(try server.branches().first { $0 != "main" })
        let guest = try sleeper("postgres@\(fork)")
        #expect(
            try server.wait {
                try server.sql("oxbow", "SHOW SESSIONS").split(separator: "\n")
                    .filter { $0.contains("|active") && $0.contains(fork) }.count == 2
            }
        )
        #expect(kill(owner.0.processIdentifier, SIGKILL) == 0)
        guard try server.wait({ !guest.0.isRunning }) else {
            Issue.record("the fork goes on without its client")
            kill(guest.0.processIdentifier, SIGKILL)
            return try server.end()
        }
        let said = String(decoding: guest.1.fileHandleForReading.availableData, as: UTF8.self)
        #expect(said.contains("terminating connection due to administrator command"), "\(said)")
        #expect(try server.wait { try server.branches() == ["main"] })
        #expect(try server.sql("oxbow", "SHOW COMPUTES") == "")
        try server.end()
    }

    @Test func `nobody can have a moment written to`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        let moment = try server.sql("oxbow", "SHOW POINT main AT head").prefix { $0 != "|" }
        let past = "postgres@main@\(moment)"
        let count = "SELECT pg_is_in_recovery(), count(*) FROM t"
        #expect(try server.sql(past, count).hasSuffix("t|32"))
        let ways = [
            "SELECT pg_promote(true, 60)",
            """
            COPY (SELECT 1) TO PROGRAM 'touch promote; kill -USR1 $(head -1 postmaster.pid)';
            SELECT pg_sleep(60)
            """,
        ]
        for way in ways {
            let said = try server.sql(past, way)
            #expect(said.contains("terminating connection"), "\(said)")
            #expect(try server.sql(past, "DELETE FROM t").contains("read-only transaction"))
            #expect(try server.sql(past, count).hasSuffix("t|32"))
        }
        // What the branch has set for itself is no way either.
        for setting in ["promote_trigger_file = 'PG_VERSION'", "recovery_end_command = 'false'"] {
            try server.sql("postgres", "ALTER SYSTEM SET \(setting)")
        }
        let later = try server.sql("oxbow", "SHOW POINT main AT head").prefix { $0 != "|" }
        #expect(
            try server.sql("postgres@main@\(later)", "SELECT pg_sleep(6); \(count)")
                .hasSuffix("t|32")
        )
        try server.end()
    }

    @Test func `what databases and roles have set keeps nobody out`() throws {
        let server = try RunningServer.new()
        try server.sql(
            "postgres",
            """
            CREATE ROLE none_at_all; CREATE ROLE app LOGIN PASSWORD 'one';
            ALTER DATABASE postgres SET role = 'none_at_all';
            ALTER ROLE ALL SET role = 'none_at_all';
            ALTER ROLE postgres SET role = 'none_at_all'
            """
        )
        func enter(_ branch: String) throws -> String {
            try server.sql("template1@\(branch)", "SELECT 1", user: "app", password: "one")
        }
        #expect(try enter("main").hasSuffix("1"))
        try server.sql("oxbow", "SUSPEND main")
        #expect(try enter("main").hasSuffix("1"))
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        #expect(try enter("b").hasSuffix("1"))
        try server.end()
    }

    @Test func `a fork of a moment is entered by the roles that there were`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t AS SELECT generate_series(1, 32) n")
        func enter(_ branch: String, _ password: String) throws -> String {
            try server.sql("postgres@\(branch)", "SELECT 1", user: "app", password: password)
        }
        func head() throws -> Substring {
            try server.sql("oxbow", "SHOW POINT main AT head").prefix { $0 != "|" }
        }
        try server.sql("postgres", "CREATE ROLE app LOGIN PASSWORD 'one'")
        let made = try head()
        try server.sql("postgres", "ALTER ROLE app PASSWORD 'two'")
        let changed = try head()
        try server.sql("oxbow", "CREATE BRANCH a FROM main AT \(made)")
        try server.sql("oxbow", "CREATE BRANCH b FROM main AT \(changed)")
        #expect(try enter("a", "one") == "1")
        #expect(try enter("b", "two") == "1")
        #expect(try enter("a", "two").contains("password authentication failed"))
        // What the log showed at the first start is before any list.
        try server.sql("oxbow", "CREATE BRANCH c FROM main AT '0/0'")
        #expect(try server.sql("postgres@c", "SELECT 1") == "1")
        try server.end()
    }
}
