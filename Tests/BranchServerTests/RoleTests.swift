import Foundation
import Testing

/// The roles of real PostgreSQL, known when it runs and when it does not.
@Suite(
    .serialized,
    .enabled(
        if: ServedStore.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no role was tested"
    )
)
struct RoleTests {
    @Test func `roles mean what they mean, and fork with the branch`() throws {
        let served = try ServedStore.new()
        #expect(served.tell("login main postgres secret").contains("nobody has asked"))
        #expect(served.tell("learn main") == "done")
        #expect(served.tell("stop main") == "done")
        #expect(served.tell("login main postgres secret") == "true")
        #expect(served.tell("login main postgres Secret") == "false")
        let socket = served.tell("acquire main")
        let make = """
            CREATE ROLE app LOGIN PASSWORD 'one';
            CREATE ROLE "Zoë" LOGIN PASSWORD 'one' VALID UNTIL 'infinity';
            CREATE ROLE past LOGIN PASSWORD 'one' VALID UNTIL '2001-01-01';
            CREATE ROLE early LOGIN PASSWORD 'one' VALID UNTIL '-infinity';
            CREATE ROLE late LOGIN PASSWORD 'one' VALID UNTIL '200000-01-01';
            CREATE ROLE team PASSWORD 'one';
            SET password_encryption = 'md5';
            CREATE ROLE old LOGIN PASSWORD 'one';
            """
        #expect(try served.sql(socket, make).hasSuffix("CREATE ROLE"))
        for name in ["app", "Zoë", "late"] {
            #expect(served.tell("login main \(name) one") == "true", "\(name)")
        }
        for (name, reason) in [
            ("past", "over"), ("early", "over"), ("team", "LOGIN"), ("old", "SCRAM"),
            ("app2", "no such"),
        ] {
            let said = served.tell("login main \(name) one")
            #expect(said.contains(reason), "\(name): \(said)")
        }
        #expect(served.tell("refresh main") == "true")
        #expect(served.tell("fork main copy") == "done")
        _ = try served.sql(socket, "ALTER ROLE app PASSWORD 'two'")
        #expect(served.tell("login main app one") == "false")
        #expect(served.tell("login main app two") == "true")
        #expect(served.tell("login copy app one") == "true")
        #expect(served.tell("login copy app two") == "false")
        #expect(served.tell("confirm copy app one") == "true")
        _ = try served.sql(socket, "ALTER ROLE app NOLOGIN")
        #expect(served.tell("login main app two").contains("LOGIN"))
        // Not a byte of it for the compute's user, nor for anybody but root.
        let list = "\(served.folder)/mnt/main/.oxbow/roles"
        #expect(try served.run("runuser -u postgres -- cat \(list)").status != 0)
        #expect(try served.run("grep -c OXBROLES \(list)").said == "1")
        try served.end()
    }

    @Test func `a fork that was made before anybody asked is entered when it was asked`() throws {
        let served = try ServedStore.new()
        #expect(served.tell("learn main") == "done")
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "CREATE ROLE app LOGIN PASSWORD 'one'")
        #expect(served.tell("refresh main") == "true")
        _ = try served.sql(socket, "ALTER ROLE app PASSWORD 'two'")
        // Without a refresh in between.
        #expect(served.tell("fork main copy") == "done")
        for password in ["one", "two"] {
            let said = served.tell("confirm copy app \(password)")
            #expect(said.contains("may have changed"), "\(said)")
        }
        #expect(served.tell("learn copy") == "done")
        #expect(served.tell("stop copy") == "done")
        #expect(served.tell("confirm copy app one") == "rejected")
        #expect(served.tell("confirm copy app two") == "true")
        try served.end()
    }

    @Test func `what a session sets does not bend the question`() throws {
        let served = try ServedStore.new()
        #expect(served.tell("learn main") == "done")
        let socket = served.tell("acquire main")
        let bend = """
            CREATE SCHEMA evil;
            CREATE VIEW evil.pg_authid AS SELECT * FROM pg_catalog.pg_authid WHERE false;
            CREATE FUNCTION evil.greater(timestamptz, text) RETURNS bool
                LANGUAGE sql AS 'SELECT true';
            ALTER ROLE postgres SET search_path = evil, pg_catalog;
            ALTER ROLE postgres SET client_encoding = 'LATIN1';
            ALTER DATABASE postgres SET default_transaction_isolation = 'serializable';
            CREATE ROLE "Zoë" LOGIN PASSWORD 'one';
            """
        #expect(try served.sql(socket, bend).hasSuffix("CREATE ROLE"))
        #expect(served.tell("login main Zoë one") == "true")
        // Nothing of ours keeps them from it.
        let rename = """
            CREATE DATABASE other;
            \\connect - - - 5432
            \\connect other
            ALTER DATABASE postgres RENAME TO mine;
            """
        #expect(try served.sql(socket, rename).hasSuffix("ALTER DATABASE"))
        let change = "SET client_encoding = 'UTF8'; ALTER ROLE \"Zoë\" PASSWORD 'two'"
        #expect(try served.sql(socket, change, as: "mine").hasSuffix("ALTER ROLE"))
        #expect(served.tell("login main Zoë two") == "true")
        try served.end()
    }

    @Test func `a change that is not committed lets nobody in`() throws {
        let served = try ServedStore.new()
        #expect(served.tell("learn main") == "done")
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "CREATE ROLE app LOGIN PASSWORD 'one'")
        let script = """
            BEGIN;
            ALTER ROLE app PASSWORD 'two';
            \\! touch \(served.folder)/said; until [ -e \(served.folder)/go ]; do sleep 0.05; done
            COMMIT;
            """
        let writer = try served.start("psql -X -q -h \(socket) -U postgres -d postgres", script).0
        #expect(
            try served.wait { FileManager.default.fileExists(atPath: served.folder + "/said") }
        )
        #expect(served.tell("login main app one") == "true")
        #expect(served.tell("login main app two") == "false")
        #expect(try served.run("touch \(served.folder)/go").status == 0)
        writer.waitUntilExit()
        #expect(served.tell("login main app two") == "true")
        #expect(served.tell("login main app one") == "false")
        try served.end()
    }
}
