import Foundation
import Glibc
import Oxbow
import ServerFixture
import Testing

/// Who may enter where the list of roles is older than the roles, or may be.
@Suite(
    .serialized,
    .enabled(
        if: RunningServer.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no old list was tested"
    )
)
struct ServerRoleTests {
    private static let refused = "password authentication failed"

    private func point(_ server: RunningServer) throws -> String {
        String(try server.sql("oxbow", "SHOW POINT main AT 'head'").prefix { $0 != "|" })
    }

    /// Says something to `main`, and kills its compute before anybody could have asked it.
    private func change(_ server: RunningServer, _ statement: String) throws {
        try server.sql("postgres", "SELECT 1")
        let row = try #require(
            try server.sql("oxbow", "SHOW COMPUTES").split(separator: "\n").first {
                $0.hasPrefix("main||")
            }
        )
        let process = row.split(separator: "|", omittingEmptySubsequences: false)[3]
        try server.sql("postgres", "\(statement);\n\\! kill -9 \(process)\n")
    }

    /// What a user is told in the end, who may have to come again on a machine that is busy.
    private func said(
        _ server: RunningServer,
        _ database: String,
        _ statement: String,
        _ user: String,
        _ password: String
    ) throws -> String {
        var said = ""
        let isKnown = try server.wait {
            said = try server.sql(database, statement, user: user, password: password)
            return !said.contains("not known just now")
        }
        #expect(isKnown, "\(said)")
        return said
    }

    private func enter(
        _ server: RunningServer,
        _ database: String,
        _ user: String,
        _ password: String
    ) throws -> String {
        let said = try said(server, database, "SELECT 1", user, password)
        return said.contains(Self.refused) ? "refused" : String(said.suffix(1))
    }

    @Test(arguments: ["PASSWORD 'new'", "NOLOGIN", "VALID UNTIL '2001-01-01'"])
    func `a role that was changed before the compute was killed enters no moment`(
        change: String
    ) throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE ROLE bob LOGIN PASSWORD 'old'")
        #expect(try enter(server, "postgres", "bob", "old") == "1")
        let then = try point(server)
        try self.change(server, "ALTER ROLE bob \(change)")
        for moment in [then, "1ms", "\(then)+"] {
            #expect(try enter(server, "postgres@main@\(moment)", "bob", "old") == "refused")
        }
        if change.hasPrefix("PASSWORD") {
            #expect(try enter(server, "postgres@main@\(then)", "bob", "new") == "1")
        }
        try server.end()
    }

    /// Roles are asked for in a session, and a session is in a database.
    @Test func `a cluster whose usual databases let nobody in can be entered`() throws {
        let server = try RunningServer.new()
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        try server.sql("postgres@b", "CREATE DATABASE app")
        let hide = """
            DROP DATABASE postgres WITH (FORCE);
            UPDATE pg_database SET datallowconn = false WHERE datname = 'template1';
            CREATE ROLE bob LOGIN PASSWORD 'one'
            """
        try server.sql("app@b", hide)
        #expect(try enter(server, "app@b", "bob", "one") == "1")
        try server.sql("app@b", "ALTER ROLE bob PASSWORD 'two'")
        // Its list is the one that the parent's compute told, and the log shows that it is old.
        try server.sql("oxbow", "CREATE BRANCH c FROM b")
        #expect(try enter(server, "app@c", "bob", "two") == "1")
        server.kill()
        try server.start()
        #expect(try enter(server, "app@b", "bob", "two") == "1")
        #expect(try enter(server, "app@b", "bob", "one") == "refused")
        try server.end()
    }

    @Test func `who is no superuser any more changes no branches`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE ROLE adm LOGIN SUPERUSER PASSWORD 'old'")
        let statement = "CREATE BRANCH made FROM main"
        func make(_ password: String) throws -> String {
            try said(server, "oxbow", statement, "adm", password)
        }
        #expect(try enter(server, "postgres", "adm", "old") == "1")
        let alter = "ALTER ROLE adm NOSUPERUSER PASSWORD 'new'"
        try change(server, alter)
        #expect(try make("old").contains(Self.refused))
        #expect(try make("new").contains("permission denied"))
        // The same where all ended at once.
        try server.sql("postgres", "ALTER ROLE adm SUPERUSER PASSWORD 'old'")
        #expect(try enter(server, "postgres", "adm", "old") == "1")
        try server.sql("postgres", "\(alter);\n\\! kill -9 \(server.processID)\n")
        server.kill()
        try server.start()
        #expect(try make("old").contains(Self.refused))
        #expect(try make("new").contains("permission denied"))
        #expect(try server.branches() == ["main"])
        try server.end()
    }

    @Test func `a new password is taken at once where the compute or the server was killed`() throws
    {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE ROLE bob LOGIN PASSWORD 'one'")
        #expect(try enter(server, "postgres", "bob", "one") == "1")
        try change(server, "ALTER ROLE bob PASSWORD 'two'")
        #expect(try enter(server, "postgres", "bob", "two") == "1")
        #expect(try enter(server, "postgres", "bob", "one") == "refused")
        let alter = "ALTER ROLE bob PASSWORD 'three'"
        try server.sql("postgres", "\(alter);\n\\! kill -9 \(server.processID)\n")
        server.kill()
        // A fork that nobody's compute was asked for.
        let store = try Store.open(server.data)
        try store.fork("copy", from: store.branch("main"))
        try store.close()
        try server.start()
        for database in ["postgres@copy", "postgres@main@1ms", "postgres"] {
            #expect(try enter(server, database, "bob", "three") == "1")
            #expect(try enter(server, database, "bob", "two") == "refused")
        }
        try server.end()
    }

    @Test func `a branch that is set back to just after a change has the roles of that`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE ROLE bob LOGIN PASSWORD 'one'")
        #expect(try enter(server, "postgres", "bob", "one") == "1")
        // By then nobody has asked.
        let then = try server.sql(
            "postgres",
            """
            ALTER ROLE bob PASSWORD 'two';
            CREATE ROLE eve LOGIN PASSWORD 'two';
            SELECT pg_current_wal_flush_lsn()
            """
        )
        #expect(try enter(server, "postgres", "bob", "two") == "1")
        for database in ["postgres@main@1ms", "postgres", "oxbow"] {
            try server.sql("oxbow", "RESET main TO '\(then)'")
            let ask = database == "oxbow" ? "SHOW HELP" : "SELECT 1"
            for user in ["bob", "eve"] {
                let said = try said(server, database, ask, user, "two")
                #expect(!said.contains("FATAL"), "\(database), \(user): \(said)")
            }
            #expect(try enter(server, database, "bob", "one") == "refused")
        }
        try server.end()
    }

    @Test func `the default branch is not set back to where nobody could log in`() throws {
        let server = try RunningServer.new()
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        let refusal = try server.sql("oxbow", "RESET main TO 'L1000'")
        #expect(refusal.contains("nobody could log in"), "\(refusal)")
        let words = URLComponents(string: server.url)
        let (user, password) = (try #require(words?.user), try #require(words?.password))
        #expect(try enter(server, "postgres", user, password) == "1")
        // Where nobody had been asked yet, somebody is.
        try server.sql("oxbow", "RESET main TO '0/0'")
        #expect(try enter(server, "postgres", user, password) == "1")
        let undone = try said(server, "oxbow", "UNDO main", user, password)
        #expect(undone.hasPrefix("main|"), "\(undone)")
        // A moment at which it was known that nobody might.
        let then = try server.sql(
            "postgres",
            """
            ALTER ROLE postgres PASSWORD NULL;
            \\! psql -X -q -d '\(server.url)' -c 'SELECT 1' 2>/dev/null
            CREATE TABLE t ();
            SELECT pg_current_wal_flush_lsn();
            ALTER ROLE postgres PASSWORD '\(password)';
            """
        )
        let last = try said(server, "oxbow", "RESET main TO '\(then)'", user, password)
        #expect(last.contains("nobody could log in"), "\(last)")
        try server.end()
    }
}
