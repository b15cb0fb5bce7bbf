import Foundation
import Synchronization
import Testing

/// Stock PostgreSQL on the branches of a store, as its users see it.
@Suite(
    .serialized,
    .enabled(
        if: ServedStore.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no compute was tested"
    )
)
struct ComputeTests {
    private static let settings = "fsync on, listen , archive off, pages off, checksums on"
    private static let ask = """
        SELECT format('fsync %s, listen %s, archive %s, pages %s, checksums %s',
            current_setting('fsync'), current_setting('listen_addresses'),
            current_setting('archive_mode'), current_setting('full_page_writes'),
            current_setting('data_checksums'));
        """

    @Test func `a branch answers, with settings that no setting of its own can weaken`() throws {
        let served = try ServedStore.new()
        let socket = served.tell("acquire main")
        #expect(try served.sql(socket, Self.ask) == Self.settings)
        let set = """
            ALTER SYSTEM SET fsync = off;
            ALTER SYSTEM SET archive_command = 'touch /tmp/x';
            ALTER SYSTEM SET listen_addresses = '*';
            ALTER SYSTEM SET work_mem = '7MB';
            """
        #expect(try served.sql(socket, set).hasPrefix("ALTER SYSTEM"))
        #expect(served.tell("stop main") == "done")
        _ = served.tell("release main")
        #expect(served.tell("acquire main") == socket)
        #expect(try served.sql(socket, Self.ask) == Self.settings)
        #expect(try served.sql(socket, "SHOW work_mem") == "7MB")
        #expect(served.tell("cut") == "done")
        let isOn = try served.wait {
            try served.sql(socket, "SHOW full_page_writes") == "on"
        }
        #expect(isOn)
        #expect(try served.wait { served.tell("logs main").contains("checkpoint complete") })
        try served.end()
    }

    @Test func `a fork of a busy branch has all that was acknowledged before it`() throws {
        let served = try ServedStore.new()
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "CREATE TABLE t (n bigint primary key)")
        // Each line is an acknowledged commit.
        let insert = "INSERT INTO t SELECT coalesce(max(n), 0) + 1 FROM t RETURNING n;\n"
        let writer = try served.start(
            "psql -X -q -h \(socket) -U postgres -d postgres -At > \(served.folder)/said",
            String(repeating: insert, count: 1500)
        ).0
        func acknowledged() throws -> Int {
            Int(try served.run("tail -c 20 \(served.folder)/said | tail -n 2 | head -n 1").said)
                ?? 0
        }
        for round in 1...3 {
            let wanted = round * 100
            #expect(try served.wait { try acknowledged() > wanted })
            let before = try acknowledged()
            #expect(served.tell("fork main copy\(round)") == "done")
            let copy = served.tell("acquire copy\(round)")
            let answer = try served.sql(copy, "SELECT count(*) = max(n), max(n) FROM t")
            let parts = answer.split(separator: "|").map(String.init)
            #expect(parts.first == "t", "\(answer)")
            #expect((parts.last.flatMap { Int($0) } ?? 0) >= before)
            _ = try served.sql(copy, "DELETE FROM t")
            #expect(served.tell("release copy\(round)") == "done")
        }
        writer.waitUntilExit()
        #expect(try served.sql(socket, "SELECT count(*), max(n) FROM t") == "1500|1500")
        try served.end()
    }

    @Test func `a compute that is killed is started again, and keeps what it acknowledged`() throws
    {
        let served = try ServedStore.new()
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "CREATE TABLE t (n int); INSERT INTO t VALUES (7)")
        let first = try served.status("main").pid
        #expect(try served.run("kill -9 $(ps -o pid= --ppid \(first))").status == 0)
        #expect(
            try served.wait {
                let status = try served.status("main")
                return status.state == "ready" && status.starts == 2
            }
        )
        #expect(try served.sql(socket, "SELECT n FROM t") == "7")
        // The first process of all, too.
        #expect(kill(try served.status("main").pid, SIGKILL) == 0)
        #expect(try served.wait { try served.status("main").starts == 3 })
        #expect(served.tell("acquire main") == socket)
        #expect(try served.sql(socket, "SELECT n FROM t") == "7")
        try served.end()
    }

    @Test func `forty who ask at once get one process`() throws {
        let served = try ServedStore.new()
        for round in 1...3 {
            #expect(served.tell("race main 40").hasPrefix("40 ready 0 1 "))
            // A process that it has just begun looks as it does, until it says what it is.
            let isAlone = try served.wait {
                let form = " /[^ ]*/postgres .*\(served.folder)/mnt"
                let count = "grep -v '/bin/sh' | grep -c '\(form)'"
                let all = try served.processesOfBranches().joined(separator: "\n")
                return try served.run(count, all).said == "1"
            }
            #expect(isAlone, "round \(round)")
            #expect(served.tell("stop main") == "done")
            #expect(try served.processesOfBranches() == [])
        }
        try served.end()
    }

    @Test func `who is idle is stopped, and the longest idle makes room`() throws {
        let served = try ServedStore.new(limit: 2, idleSeconds: 2)
        for name in ["one", "two", "three"] { _ = served.tell("fork main \(name)") }
        #expect(served.tell("acquire one").contains("/sockets"))
        #expect(served.tell("acquire two").contains("/sockets"))
        #expect(served.tell("acquire three").contains("all 2 computes are in use"))
        _ = served.tell("release two")
        #expect(served.tell("acquire three").contains("/sockets"))
        #expect(try served.status("two").state == "down")
        #expect(try served.status("one").state == "ready")
        _ = served.tell("release one")
        _ = served.tell("release three")
        #expect(
            try served.wait {
                try ["one", "three"].allSatisfy { try served.status($0).state == "down" }
            }
        )
        #expect(try served.processesOfBranches() == [])
        try served.end()
    }

    private static let sleep = "/dev/cpu_dma_latency"

    @Test(
        .enabled(
            if: access(sleep, W_OK) == 0,
            "there is no \(sleep): whether processors stay awake was not tested"
        )
    )
    func `processors stay awake while a compute starts, and not for longer`() throws {
        let served = try ServedStore.new()
        let server = served.server
        #expect(!Self.hasOpen(server, Self.sleep))
        let isOver = Mutex(false)
        let wasAwake = Mutex(false)
        let watcher = Thread {
            while !isOver.withLock({ $0 }) {
                if Self.hasOpen(server, Self.sleep) { wasAwake.withLock { $0 = true } }
            }
        }
        watcher.start()
        #expect(served.tell("acquire main").contains("/sockets"))
        isOver.withLock { $0 = true }
        #expect(wasAwake.withLock { $0 })
        #expect(try served.wait { !Self.hasOpen(server, Self.sleep) })
        #expect(try served.status("main").state == "ready")
        try served.end()
    }

    private static func hasOpen(_ process: pid_t, _ path: String) -> Bool {
        let folder = "/proc/\(process)/fd"
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder)
        return (files ?? []).contains { file in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(file)"))
                == path
        }
    }

    @Test func `who is stopped while it starts ends in good order`() throws {
        let served = try ServedStore.new()
        for round in 0..<8 {
            // The one that waits for a fork begins in another way.
            if round % 2 == 1 { _ = served.tell("fork main fork\(round)") }
            let name = round % 2 == 1 ? "fork\(round)" : "main"
            #expect(served.tell("give-up \(name) process") == "gone", "round \(round)")
            #expect(!served.tell("logs \(name)").contains("immediate shutdown"), "round \(round)")
        }
        #expect(served.tell("acquire main").contains("/sockets"))
        try served.end()
    }

    @Test(.timeLimit(.minutes(2)))
    func `who waits for a place and is stopped does not wait on`() throws {
        let served = try ServedStore.new(limit: 1, waitSeconds: 3600)
        _ = served.tell("fork main one")
        #expect(served.tell("acquire main").contains("/sockets"))
        #expect(served.tell("give-up one asked") == "gone")
        _ = served.tell("release main")
        #expect(served.tell("acquire one").contains("/sockets"))
        try served.end()
    }

    @Test func `a moment is read-only whatever a session says`() throws {
        let served = try ServedStore.new(idleSeconds: 1)
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        let point = served.tell("head main")
        _ = try served.sql(socket, "INSERT INTO t VALUES (2)")
        let words = served.tell("past main \(point)").split(separator: " ").map(String.init)
        try #require(words.count == 2, "\(words)")
        let script = """
            SET default_transaction_read_only = off;
            SELECT count(*) FROM t;
            DELETE FROM t;
            """
        let said = try served.sql(words[1], script)
        #expect(said.contains("\n1\n") && said.contains("cannot execute DELETE"), "\(said)")
        #expect(served.tell("past main \(point)") == words.joined(separator: " "))
        #expect(try served.status(words[0]).starts == 1)
        _ = served.tell("release \(words[0])")
        #expect(try served.wait { served.tell("names") == "main" })
        #expect(try served.sql(socket, "SELECT count(*) FROM t") == "2")
        try served.end()
    }

    @Test func `nothing is left of a server that was killed, and the next one goes on`() throws {
        let served = try ServedStore.new()
        let socket = served.tell("acquire main")
        let script = """
            CREATE TABLE t (n int);
            INSERT INTO t VALUES (7);
            COPY t FROM PROGRAM 'setsid sleep 98765 >/dev/null 2>&1 & echo 8';
            """
        #expect(try served.sql(socket, script).hasSuffix("COPY 1"))
        served.kill()
        #expect(try served.wait(seconds: 10) { try served.processes() == "" })
        #expect(try served.run("pgrep -fu postgres '^sleep 98765'").said == "")
        let next = try ServedStore(served.folder)
        #expect(next.tell("acquire main") == socket)
        #expect(try next.sql(socket, "SELECT sum(n) FROM t") == "15")
        try next.end()
    }
}
