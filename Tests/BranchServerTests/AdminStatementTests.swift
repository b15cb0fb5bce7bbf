import BranchServer
import PostgresWire
import Primitives
import Testing

@Suite struct AdminStatementTests {
    private static func creation(
        _ name: String,
        from parent: String? = nil,
        at moment: RequestedMoment? = nil,
        _ lifetime: AdminStatement.Lifetime? = nil,
        onlyIfMissing: Bool = false
    ) -> AdminStatement {
        .create(
            AdminStatement.Creation(
                name: name,
                parent: parent,
                moment: moment,
                lifetime: lifetime,
                onlyIfMissing: onlyIfMissing
            )
        )
    }

    @Test(
        arguments: [
            ("SHOW BRANCHES", .show(.branches)), ("show computes;", .show(.computes)),
            ("Show Sessions", .show(.sessions)), ("SHOW SIZES", .show(.sizes)),
            ("SHOW HELP", .show(.help)), ("SHOW HISTORY FOR main", .history(branch: "main")),
            (
                "SHOW POINT main AT '2026-04-08T22:56:02Z'",
                .point(branch: "main", .time("2026-04-08T22:56:02Z"))
            ),
            (
                "SHOW POINT main AT L16B3F28",
                .point(branch: "main", .lsn(LSN(rawValue: 0x16B_3F28)))
            ),
            ("SHOW POINT main AT 10m", .point(branch: "main", .ago("10m"))),
            ("CREATE BRANCH x", creation("x")),
            ("CREATE BRANCH x FROM main", creation("x", from: "main")),
            (
                "create branch if not exists pr-1432 from main at '10m' ttl '1h'",
                creation("pr-1432", from: "main", at: .ago("10m"), .ttl("1h"), onlyIfMissing: true)
            ),
            (
                "CREATE BRANCH x FROM \"main\" NO EXPIRY IF NOT EXISTS -- as it is",
                creation("x", from: "main", .unlimited, onlyIfMissing: true)
            ), ("DROP BRANCH x", .drop(branch: "x", onlyIfThere: false)),
            ("DROP BRANCH IF EXISTS x", .drop(branch: "x", onlyIfThere: true)),
            ("UNDELETE BRANCH x", .undelete(branch: "x", name: nil, nil)),
            ("UNDELETE BRANCH x AS y", .undelete(branch: "x", name: "y", nil)),
            ("UNDELETE x AS y TTL '1h'", .undelete(branch: "x", name: "y", .ttl("1h"))),
            ("UNDELETE x NO EXPIRY", .undelete(branch: "x", name: nil, .unlimited)),
            ("RENAME BRANCH x TO y", .rename(branch: "x", to: "y")),
            ("RESET /* back */ BRANCH x TO '1.5h'", .reset(branch: "x", to: .ago("1.5h"))),
            (
                "RESET BRANCH x TO before-deploy",
                .reset(branch: "x", to: .snapshot("before-deploy"))
            ),
            ("UNDO BRANCH x", .undo(branch: "x")), ("SUSPEND BRANCH x", .suspend(branch: "x")),
            ("SET DEFAULT BRANCH x", .setDefault(branch: "x")), ("", .courtesy(.empty)),
            ("DROP x", .drop(branch: "x", onlyIfThere: false)),
            ("RESET x TO '10m'", .reset(branch: "x", to: .ago("10m"))),
            ("RESET branch TO '10m'", .reset(branch: "branch", to: .ago("10m"))),
            ("UNDO x", .undo(branch: "x")), ("UNDO branch", .undo(branch: "branch")),
            ("SUSPEND x", .suspend(branch: "x")), ("SET DEFAULT x", .setDefault(branch: "x")),
            ("ALTER BRANCH x SET IDLE NEVER", .setIdle(branch: "x", .never)),
            ("ALTER BRANCH x SET IDLE '10m'", .setIdle(branch: "x", .after("10m"))),
            ("ALTER BRANCH x SET IDLE DEFAULT", .setIdle(branch: "x", .usual)),
            ("RESET search_path", .courtesy(.setting(tag: "RESET"))),
            (";;", .courtesy(.empty)), ("BEGIN", .courtesy(.begin)),
            ("START TRANSACTION READ ONLY", .courtesy(.begin)), ("COMMIT", .courtesy(.commit)),
            ("SET extra_float_digits = 3", .courtesy(.setting(tag: "SET"))),
            ("SET application_name = 'it''s'", .courtesy(.setting(tag: "SET"))),
            (
                "set session characteristics as transaction read only",
                .courtesy(.setting(tag: "SET"))
            ),
            ("SET SESSION AUTHORIZATION DEFAULT", .courtesy(.setting(tag: "SET"))),
            ("SET TIME ZONE 'UTC'", .courtesy(.setting(tag: "SET"))),
            ("SET LOCAL statement_timeout TO 1000", .courtesy(.setting(tag: "SET"))),
            ("SET \"DateStyle\" = iso, mdy", .courtesy(.setting(tag: "SET"))),
            ("RESET ALL", .courtesy(.setting(tag: "RESET"))),
            ("/* /* x */ */ SHOW /* a /* b */ */ HELP", .show(.help)),
            ("SHOW server_version", .courtesy(.show(setting: "server_version"))),
            ("SELECT 1", .courtesy(.select(value: "1", column: "?column?"))),
            ("select 'a;b'", .courtesy(.select(value: "a;b", column: "?column?"))),
            (
                "select pg_catalog.version()",
                .courtesy(.select(value: AdminSession.version, column: "version"))
            ),
            (
                "select current_schema()",
                .courtesy(.select(value: "public", column: "current_schema"))
            ),
            (
                "show transaction isolation level",
                .courtesy(.show(setting: "transaction_isolation"))
            ),
            ("SELECT typname, oid::text FROM pg_type t WHERE t.oid = $1", .courtesy(.noTypes)),
            ("SAVEPOINT \"a\"", .courtesy(.setting(tag: "SAVEPOINT"))),
            ("ROLLBACK", .courtesy(.rollback(all: true))),
            ("ROLLBACK TO \"a\"", .courtesy(.rollback(all: false))),
        ] as [(String, AdminStatement)]
    )
    func `a statement is read`(text: String, expected: AdminStatement) throws {
        #expect(try AdminStatement.parse(text) == [expected])
    }

    @Test(arguments: [
        ("SHOW", "42601"), ("CREATE BRANCH", "42601"), ("CREATE BRANCH x FROM", "42601"),
        ("CREATE BRANCH x x", "42601"), ("CREATE BRANCH x TTL '1h' TTL '2h'", "42601"),
        ("CREATE BRANCH x TTL 'soon'", "22023"), ("DROP BRANCH x y", "42601"),
        ("RESET BRANCH x TO '2026-13-77'", "22023"), ("DELETE FROM t", "42601"),
        ("SELECT * FROM t", "0A000"), ("SELECT 'open", "42601"), ("/* open", "42601"),
        ("CREATE BRANCH \"\"", "42602"),
        ("DROP BRANCH \"\(String(repeating: "x", count: 64))\"", "42602"),
        ("(", "42601"), ("/* /* x */ SHOW HELP", "42601"), ("SHOW NOPE", "42704"),
        ("SHOW oxbow.branch", "42704"), ("SET nope = 1", "42704"), ("RESET nope", "42704"),
        ("SET timezone", "42601"), ("SET timezone TO", "42601"), ("RESET timezone x", "42601"),
        ("SET", "42601"),
    ])
    func `what is no statement is refused`(text: String, state: String) {
        #expect(throws: Refusal.self) { try AdminStatement.parse(text) }
        do { _ = try AdminStatement.parse(text) } catch { #expect(error.state == state) }
    }

    @Test(arguments: [
        ("SHOW BRANCHS", "Perhaps you meant SHOW BRANCHES."),
        ("SHOW histroy FOR main", "Perhaps you meant SHOW HISTORY."),
        ("SET DEFUALT BRANCH main", "Perhaps you meant SET DEFAULT BRANCH."),
        ("SHOW serverversion", "Perhaps you meant server_version."),
        ("SHOW NOPE", "SHOW HELP lists what can be said here."),
    ])
    func `a word that is mistyped is answered with the nearest`(text: String, hint: String) {
        do { _ = try AdminStatement.parse(text) } catch {
            #expect(error.state == "42704")
            #expect(error.hint == hint)
            return
        }
        Issue.record("\(text) was taken")
    }

    @Test func `statements stand beside each other`() throws {
        let all = try AdminStatement.parse("SHOW HELP; SHOW SIZES;; DROP BRANCH x")
        #expect(all == [.show(.help), .show(.sizes), .drop(branch: "x", onlyIfThere: false)])
    }

    @Test func `what the help names can be said`() throws {
        for row in AdminStatement.help {
            let form = try #require(row[0])
            // The plainest form: without what is left open, with values for what is to be filled
            // in.
            let text = form.replacing(/\[[^\]]*\]/, with: "").replacing(/\ \|.*/, with: "")
                .replacing(/moment|duration/, with: "10m")
            #expect(throws: Never.self) { try AdminStatement.parse(text) }
        }
    }

    @Test func `the nearest names are found`() {
        let names = ["main", "pr-1432", "pr-1433", "staging"]
        #expect(Likeness.nearest("pr-1423", among: names) == ["pr-1432", "pr-1433"])
        #expect(Likeness.nearest("mian", among: names) == ["main"])
        #expect(Likeness.nearest("production", among: names) == [])
    }
}
