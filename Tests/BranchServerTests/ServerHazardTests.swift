import Foundation
import Glibc
import ServerFixture
import Testing

/// What is special about PostgreSQL on a copy of its files, as clients of a server see it.
@Suite(
    .serialized,
    .enabled(
        if: RunningServer.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no hazard was tested"
    )
)
struct ServerHazardTests {
    /// Those of a cluster belong to the account that computes run as, which is often not theirs
    /// alone.
    @Test(arguments: ["postgres", "nobody"])
    func `no other user comes to the files of branches by the mount`(user: String) throws {
        let server = try RunningServer.new()
        let mount = try server.runFolder() + "/mnt"
        let file = mount + "/all/main/pgdata/PG_VERSION"
        #expect(try server.sql("postgres", "SELECT 1") == "1")
        #expect(try server.run("cat \(file)").said == "15")
        for look in ["ls \(mount)", "ls \(mount)/all", "cat \(file)", "echo >>\(file)"] {
            let result = try server.run("runuser -u \(user) -- sh -c '\(look)' 2>&1")
            #expect(result.status != 0 && result.said.contains("denied"), "\(result.said)")
        }
        // The socket of a branch is for everybody.
        let socket = try server.runFolder() + "/branches/main/.s.PGSQL.5432"
        #expect(try server.run("runuser -u \(user) -- test -w \(socket)").status == 0)
        try server.end()
    }

    @Test func `a session is told its branch again, whatever was set`() throws {
        let server = try RunningServer.new()
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        try server.sql(
            "postgres@b",
            "ALTER DATABASE postgres SET oxbow.branch = 'x'; ALTER ROLE ALL SET oxbow.branch = 'y'"
        )
        let said = try server.sql(
            "postgres@b",
            "SHOW oxbow.branch; SET oxbow.branch = 'z'; RESET oxbow.branch; SHOW oxbow.branch"
        )
        #expect(said == "b\nb")
        try server.end()
    }

    @Test func `what a fork of a busy branch has is what a crash would have left`() throws {
        let server = try RunningServer.new()
        try server.sql(
            "postgres",
            """
            CREATE UNLOGGED TABLE quick AS SELECT 1 AS n;
            CREATE SEQUENCE s;
            SELECT nextval('s') FROM generate_series(1, 5);
            CREATE TABLE kept AS SELECT 1 AS n;
            """
        )
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        #expect(try server.sql("postgres@b", "SELECT n FROM kept") == "1")
        // What is not logged is empty, and a sequence is ahead by what it had taken in store.
        #expect(try server.sql("postgres@b", "SELECT count(*) FROM quick") == "0")
        let next = try #require(Int(try server.sql("postgres@b", "SELECT nextval('s')")))
        #expect((6...38).contains(next))
        // The parent does not notice.
        #expect(try server.sql("postgres", "SELECT nextval('s')") == "6")
        #expect(try server.sql("postgres", "SELECT count(*) FROM quick") == "1")
        try server.end()
    }

    @Test func `a fork with much to redo is a server of its own, also after crashes`() throws {
        let server = try RunningServer.new()
        func promotions() throws -> String {
            let logs = "\(server.data)/server/computes/*/current.log"
            return try server.run("cat \(logs) | grep -c 'received promote request'").said
        }
        let fill = "INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g"
        try server.sql("postgres", "CREATE TABLE t (n int PRIMARY KEY, x text); \(fill)")
        let ask = """
            SET enable_seqscan = off;
            SELECT count(*), sum(n), pg_is_in_recovery(),
                substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM t WHERE n > 0
            """
        var parent = "main"
        for generation in 2...4 {
            // What was not written into the tables yet by one is redone by the next.
            let fork = "b\(generation)"
            try server.sql("oxbow", "CREATE BRANCH \(fork) FROM \(parent)")
            let timeline = "0000000\(generation)"
            #expect(try server.sql("postgres@\(fork)", ask) == "20000|200010000|f|\(timeline)")
            try server.sql(
                "postgres@\(fork)",
                "CHECKPOINT; INSERT INTO t VALUES (-\(generation), ''); UPDATE t SET x = x || 'y'"
            )
            parent = fork
        }
        #expect(try promotions() == "3")
        // As it is when the machine fails: what was promoted has made no checkpoint yet.
        for row in try server.sql("oxbow", "SHOW COMPUTES").split(separator: "\n") {
            let columns = row.split(separator: "|", omittingEmptySubsequences: false)
            if columns[0] != "main" { #expect(kill(try #require(pid_t(columns[3])), SIGKILL) == 0) }
        }
        for (fork, lowest) in [("b2", "-2"), ("b3", "-3"), ("b4", "-4"), ("main", "1")] {
            #expect(try server.sql("postgres@\(fork)", "SELECT min(n) FROM t") == lowest)
            #expect(try server.sql("postgres@\(fork)", ask).hasPrefix("20000|200010000|f|"))
        }
        // One that was ended in good order has nothing to redo.
        try server.sql("oxbow", "SUSPEND b4")
        try server.sql("oxbow", "CREATE BRANCH last FROM b4")
        #expect(try server.sql("postgres@last", "SELECT min(n) FROM t") == "-4")
        #expect(try promotions() == "3")
        try server.end()
    }

    /// Until its first checkpoint ends, a promoted server's control file tells a standby to reach
    /// the promotion, and not the end of the log. A standby that opens there shows what was then;
    /// one that judges its pages there finds those missing whose table was dropped later.
    @Test func `a promotion that no checkpoint followed can be forked, read and reset`() throws {
        let server = try RunningServer.new()
        try server.sql(
            "postgres",
            """
            CREATE TABLE gone AS SELECT repeat('x', 100) AS x FROM generate_series(1, 4000);
            CREATE TABLE kept (n int);
            CHECKPOINT;
            UPDATE gone SET x = x || 'y'
            """
        )
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        let reach = "SELECT min_recovery_end_lsn > '0/0' FROM pg_control_recovery()"
        #expect(try server.sql("postgres@b", reach) == "t")
        let insert = "INSERT INTO kept SELECT g FROM generate_series(1, 5000) g"
        try server.sql("postgres@b", "UPDATE gone SET x = x || 'z'; DROP TABLE gone; \(insert)")
        #expect(try server.sql("postgres@b", reach) == "t")
        let ask = "SELECT count(*), pg_is_in_recovery() FROM kept"
        let moment = try server.sql("postgres@b@1ms", ask)
        #expect(moment.hasSuffix("\n5000|t"), "\(moment)")
        try server.sql("oxbow", "CREATE BRANCH f FROM b")
        #expect(try server.sql("postgres@f", ask) == "5000|f")
        try server.sql("oxbow", "RESET b TO head")
        #expect(try server.sql("postgres@b", ask) == "5000|f")
        try server.end()
    }

    /// A promotion that is killed has its timeline's history and an empty file by then, and nothing
    /// says that it was one. What starts next goes on with the old timeline.
    @Test func `what a killed promotion left behind is not followed`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t (n int PRIMARY KEY, x text); CHECKPOINT")
        let history = "1\t0/1000100\tno recovery target specified"
        try server.sql(
            "postgres",
            """
            COPY (SELECT 1) TO PROGRAM 'cd pg_wal && printf "\(history)\\n" >00000002.history &&
                for f in 00000001????????????????; do
                    truncate -s $(stat -c %s $f) 00000002${f#00000001}; done'
            """.replacing("\n", with: " ")
        )
        let left = "SELECT count(*) > 1 FROM pg_ls_waldir() WHERE name LIKE '00000002%'"
        #expect(try server.sql("postgres", left) == "t")
        let fill = "INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 60000) g"
        try server.sql("postgres", fill)
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        let ask = "SELECT count(*), substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM t"
        // The log goes on in the next file, so there is much to redo. It was promoted, past the
        // timeline that was left.
        let said = try server.sql("postgres@b", ask)
        #expect(said == "60000|00000003", "\(said)")
        try server.end()
    }

    @Test func `what was locked at a moment is told to who reads it, and a fork lets go`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "CREATE TABLE t AS SELECT 1 AS n")
        let hold = "BEGIN; TRUNCATE t; SELECT pg_sleep(600)"
        let (holder, _) = try server.start("exec psql -X -q -d '\(server.url)' -c '\(hold)'")
        let locks = """
            SELECT count(*) > 0 FROM pg_locks
            WHERE mode = 'AccessExclusiveLock' AND relation = 't'::regclass
            """
        #expect(try server.wait { try server.sql("postgres", locks) == "t" })
        // What a commit writes to the log comes behind the lock.
        try server.sql("postgres", "CREATE TABLE later (n int)")
        let point = try server.sql("oxbow", "SHOW POINT main AT 'head'").prefix { $0 != "|" }
        let moment = "postgres@main@\(point)"
        #expect(try server.sql(moment, "SHOW lock_timeout").hasSuffix("\n10s"))
        let impatient = "SET lock_timeout = '100ms'; SELECT count(*) FROM t"
        #expect(try server.sql(moment, impatient).contains("due to lock timeout"))
        #expect(try server.sql(moment + "+", "SELECT count(*) FROM t").hasSuffix("\n1"))
        holder.terminate()
        holder.waitUntilExit()
        try server.end()
    }

    @Test func `a prepared transaction is in the fork, and ends there by itself`() throws {
        let server = try RunningServer.new()
        try server.sql("postgres", "ALTER SYSTEM SET max_prepared_transactions = 10")
        try server.sql("oxbow", "SUSPEND main")
        try server.sql(
            "postgres",
            "CREATE TABLE t (n int); BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'p'"
        )
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        let ask = "SELECT gid FROM pg_prepared_xacts"
        #expect(try server.sql("postgres@b", ask) == "p")
        try server.sql("postgres@b", "ROLLBACK PREPARED 'p'")
        #expect(try server.sql("postgres@b", "\(ask); SELECT count(*) FROM t") == "0")
        try server.sql("postgres", "COMMIT PREPARED 'p'")
        #expect(try server.sql("postgres", "SELECT count(*) FROM t") == "1")
        try server.end()
    }

    @Test func `a copied setting makes no fork talk to what its parent talks to`() throws {
        let server = try RunningServer.new()
        let traces = server.folder + "/archived"
        #expect(try server.run("mkdir -m 777 \(traces)").status == 0)
        for setting in [
            "archive_mode = on", "archive_command = 'touch \(traces)/%f'",
            "restore_command = 'no'",
            "primary_conninfo = 'host=localhost'", "listen_addresses = '*'", "fsync = off",
            "synchronous_standby_names = '*'",
        ] {
            try server.sql("postgres", "ALTER SYSTEM SET \(setting)")
        }
        let place = "data_directory = ''/nonexistent''"
        try server.sql(
            "postgres",
            "COPY (SELECT '\(place)') TO PROGRAM 'cat >>postgresql.conf'"
        )
        try server.sql("oxbow", "SUSPEND main")
        try server.sql("oxbow", "CREATE BRANCH b FROM main")
        let ask = [
            "archive_mode", "archive_command", "restore_command", "primary_conninfo",
            "synchronous_standby_names", "listen_addresses", "fsync",
        ].map { "SHOW \($0);" }.joined()
        for database in ["postgres", "postgres@b"] {
            #expect(try server.sql(database, ask) == "off\n(disabled)\n\n\n\n\non")
            try server.sql(database, "CREATE TABLE t_\(database.count) (); SELECT pg_switch_wal()")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: traces) == [])
        let jobs = "SELECT current_setting('cron.launch_active_jobs', true)"
        #expect(try server.sql("postgres@b", jobs) == "off")
        #expect(try server.sql("postgres", jobs) == "")
        try server.end()
    }

    @Test func `a branch has one compute, however many come and go`() throws {
        let server = try RunningServer.new()
        let compute = try server.sql("oxbow", "SHOW COMPUTES")
        #expect(compute == "" || compute.hasPrefix("main|"))
        // Two hundred sessions, and stops in between; a watcher counts the spaces of processes, but
        // for one that waits to become a fork's.
        let postgres = "^/[^ ]*/postgres -D \(try server.runFolder())/"
        let script = """
            for client in 1 2 3 4; do
                for n in $(seq 50); do
                    psql -X -q -At -d '\(server.url)' -c 'INSERT INTO t VALUES (1)' 2>/dev/null &&
                        echo done
                done &
            done
            (while kill -0 $$ 2>/dev/null && [ ! -e '\(server.folder)/over' ]; do
                for process in $(pgrep -f '\(postgres)'); do
                    grep -q launch_active_jobs=off /proc/$process/cmdline ||
                        readlink /proc/$process/ns/pid
                done | sort -u | wc -l
            done | sort -n | tail -n 1 >'\(server.folder)/most') &
            for n in $(seq 12); do
                psql -X -q -d '\(server.url("oxbow"))' -c 'SUSPEND main'
                sleep 0.2
            done
            wait %1 %2 %3 %4
            touch '\(server.folder)/over'
            wait
            """
        try server.sql("postgres", "CREATE TABLE t (n int)")
        let said = try server.run(script).said.split(separator: "\n").filter { $0 == "done" }
        // One whose session ended between its commit and the answer is there as well.
        let count = try #require(Int(try server.sql("postgres", "SELECT count(*) FROM t")))
        #expect((said.count...200).contains(count), "\(count) rows, \(said.count) acknowledged")
        #expect(!said.isEmpty)
        let most = try String(contentsOfFile: server.folder + "/most", encoding: .utf8)
        #expect(most.trimmingCharacters(in: .newlines) == "1")
        try server.end()
    }
}
