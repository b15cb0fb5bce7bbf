import BranchServer
import Foundation
import OxbowCLI
import Testing

/// A server as `oxbow serve` runs it, with PostgreSQL and a mount, on the store `data` of a tool.
final class ServedTool {
    let tool: Tool
    private let process: Process
    let started: Document

    static let isPossible =
        geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0
        && !PostgresInstallation.all().isEmpty

    /// Hides the device of FUSE, and nothing that PostgreSQL needs.
    private static let withoutFuse = """
        set -e; d=$(mktemp -d); mount -t tmpfs tmpfs $d
        for n in null zero full random urandom tty; do
            touch $d/$n; mount --bind /dev/$n $d/$n
        done
        mkdir $d/shm; ln -s /proc/self/fd $d/fd
        mount --rbind $d /dev; exec "$@"
        """

    init(_ tool: Tool, hasFuse: Bool = true) throws {
        self.tool = tool
        let words = ["serve", "--listen", ":0", "--json"]
        let process = tool.process(words)
        if !hasFuse {
            process.executableURL = URL(filePath: "/usr/bin/unshare")
            process.arguments =
                ["--mount", "--propagation", "private", "sh", "-c", Self.withoutFuse, "sh"]
                + [Tool.executable.path] + words
        }
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try output.fileHandleForWriting.close()
        var told = Data()
        // A document ends with a brace at the beginning of a line.
        while !told.suffix(3).elementsEqual(Array("\n}\n".utf8)) {
            let part = output.fileHandleForReading.availableData
            if part.isEmpty { break }
            told += part
        }
        self.process = process
        started = try Document([UInt8](told))
    }

    /// Ends the server as an operator does, and returns its exit code.
    func end() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}

/// Commands that a server alone can do.
@Suite(
    .serialized,
    .enabled(if: ServedTool.isPossible, "PostgreSQL, FUSE or root is missing: nothing was served")
)
struct ServerCommandTests {
    static let names: Set<String> = [
        "serve", "psql", "run", "url", "env", "logs", "suspend", "default", "restore", "status",
        "sync",
    ]

    private func psql(_ tool: Tool, _ branch: String, _ sql: String) throws -> [String] {
        try tool.lines("psql", branch, "--", "-XAtqc", sql)
    }

    @Test func `a branch is reached, restored, suspended and looked at`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        defer { _ = server.end() }
        try tool.json("branch", "create", "pr", "--from", "main", "--if-not-exists")
        let there = try tool.json("branch", "create", "pr", "--from", "main", "--if-not-exists")
        #expect(there.flag("isNew") == false)
        _ = try psql(tool, "pr", "CREATE TABLE t AS SELECT generate_series(1, 10) x")
        let before = try tool.json("url", "pr@head").text("branch")
        #expect(before == "pr")
        let point = try #require(try tool.json("point", "pr").text("lsn"))
        _ = try psql(tool, "pr", "DELETE FROM t")
        #expect(try psql(tool, "pr", "SELECT count(*) FROM t") == ["0"])
        #expect(try psql(tool, "pr@\(point)", "SELECT count(*) FROM t") == ["10"])
        #expect(
            try tool.run("psql", "pr@\(point)", "--", "-c", "DELETE FROM t").messages
                .contains("read-only")
        )
        // PostgreSQL's own name for that moment.
        let position = try psql(
            tool,
            "pr@\(point)",
            "SELECT pg_last_wal_replay_lsn()"
        )
        let same = try #require(try tool.json("point", "pr@\(position[0])").text("lsn"))
        #expect(try psql(tool, "pr@\(same)", "SELECT count(*) FROM t") == ["10"])
        let beyond = try tool.run("url", "pr@FFFF/0")
        #expect(beyond.messages.contains("has not reached FFFF/0 on this branch"))
        let pinned = try tool.json("url", "pr@\(point)")
        #expect(pinned.text("lsn") == point)
        #expect(pinned.text("dbname") == "postgres@pr@\(point)")
        #expect(pinned.text("socket") == nil)
        // A snapshot is reached by its name, whatever the window.
        try tool.lines("snapshot", "create", "kept", "--of", "pr@\(point)")
        let kept = try tool.json("url", "pr@kept")
        #expect(kept.text("lsn") == point && kept.text("dbname") == "postgres@pr@kept")
        #expect(try psql(tool, "pr@kept", "SELECT count(*) FROM t") == ["10"])
        try tool.lines("snapshot", "delete", "kept")
        // Whatever the names of databases mean to the server.
        for name in ["we@ird", "oxbow"] {
            _ = try psql(tool, "pr", "CREATE DATABASE \"\(name)\"")
            let sql = "SELECT current_database()"
            #expect(try tool.lines("psql", "pr", "-d", name, "--", "-XAtqc", sql) == [name])
        }
        // A branch has its socket as soon as somebody asks for it.
        try tool.json("branch", "create", "new", "--from", "main")
        let host = try tool.json("env", "new").text("variables.PGHOST")
        #expect(host?.hasSuffix("/branches/new") == true)
        try tool.json("branch", "delete", "new")
        let status = try tool.json("status")
        #expect(status.list("branches").map { $0.text("name") } == ["main", "pr"])
        #expect(status.text("branches.1.compute") == "ready")
        #expect(try tool.json("restore", "pr", "--to", point).text("lsn") == point)
        #expect(try psql(tool, "pr", "SELECT count(*) FROM t") == ["10"])
        try tool.lines("branch", "undo", "pr")
        #expect(try psql(tool, "pr", "SELECT count(*) FROM t") == ["0"])
        let log = try tool.json("logs", "pr").text("log") ?? ""
        #expect(log.contains("ready to accept connections"))
        try tool.json("logs")
        let refused = try tool.run("fs", "put", "-", "pr:/pgdata/x", input: [1])
        #expect(refused.code == 1)
        #expect(refused.messages.contains("PostgreSQL runs on these files; `oxbow suspend pr`"))
        #expect(try tool.run("fs", "put", "-", "pr:/x", input: [1]).code == 0)
        #expect(
            try tool.run("page", "write", "pr", "1", "0", "--pad", "--force", input: [1]).code == 1
        )
        try tool.json("suspend", "pr")
        #expect(try tool.json("status").text("branches.1.compute") == "down")
        #expect(try tool.run("fs", "put", "-", "pr:/pgdata/x", input: [1]).code == 0)
        #expect(try tool.json("sync").text("durable")?.hasPrefix("L") == true)
    }

    @Test func `without FUSE every branch and moment is read from a copy`() throws {
        let tool = try Tool()
        let mounted = try ServedTool(tool)
        #expect(mounted.started.text("files") == "mount")
        _ = try psql(tool, "main", "CREATE TABLE t AS SELECT generate_series(1, 10) x")
        let point = try #require(try tool.json("point", "main").text("lsn"))
        _ = try psql(tool, "main", "DELETE FROM t")
        #expect(mounted.end() == 0)
        let server = try ServedTool(tool, hasFuse: false)
        defer { _ = server.end() }
        #expect(server.started.text("files") == "copies")
        let now = try tool.run("psql", "main", "--", "-XAtqc", "SELECT count(*) FROM t")
        #expect(now.lines == ["0"])
        #expect(now.messages.contains("this is a copy of branch \"main\" as it was at L"))
        #expect(try psql(tool, "main@\(point)", "SELECT count(*) FROM t") == ["10"])
        let refused = try tool.run("psql", "main", "--", "-c", "DELETE FROM t")
        #expect(refused.messages.contains("read-only"))
        try tool.lines("branch", "create", "a", "--from", "main@\(point)")
        #expect(try psql(tool, "a", "SELECT count(*) FROM t") == ["10"])
    }

    @Test func `without FUSE and a cluster no URL is told that nobody can use`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool, hasFuse: false)
        defer { _ = server.end() }
        #expect(server.started.text("files") == "copies")
        #expect(server.started.number("port") ?? 0 > 0)
        #expect(server.started.text("url") == nil)
    }

    @Test func `the default branch is set, follows its name, and is not deleted`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        #expect(try tool.json("default").text("branch") == "main")
        try tool.lines("branch", "create", "a", "--from", "main")
        try tool.lines("default", "a")
        for _ in 0..<2 {
            let refused = try tool.run("branch", "delete", "a")
            #expect(refused.code == 1)
            #expect(refused.messages.contains("is the default branch: `oxbow default BRANCH`"))
            #expect(try tool.run("branch", "expire", "a", "1h").code == 1)
            try tool.lines("branch", "rename", "a", "b")
            #expect(try tool.lines("default") == ["b"])
            try tool.lines("branch", "rename", "b", "a")
            try tool.lines("branch", "create", "brief", "--from", "a", "--expires", "1h")
            #expect(try tool.run("default", "brief").messages.contains("must stay"))
            try tool.lines("branch", "delete", "brief")
            // The second time on a stopped store.
            _ = server.end()
        }
        let none = try tool.run("url")
        #expect(none.code == 1)
        #expect(
            none.messages == "oxbow: no server runs on the store in data: `oxbow serve --data "
                + "data` starts one\n"
        )
        #expect(try tool.json("status").at("server") == nil)
    }

    @Test func `a database comes in from a script, a dump and a server, whole or not at all`()
        throws
    {
        let tool = try Tool()
        let server = try ServedTool(tool)
        defer { _ = server.end() }
        let script = "CREATE TABLE t(x int);\nCOPY t FROM stdin;\n1\n2\n\\.\n"
        try Data(script.utf8).write(to: tool.folder.appending(path: "good.sql"))
        try Data((script + "SELECT 1/0;\n").utf8).write(to: tool.folder.appending(path: "bad.sql"))
        try tool.lines("branch", "create", "b", "--from", "main")
        let made = try tool.json("import", "--from", "good.sql", "--into", "b", "-d", "app")
        #expect(made.number("imported.tables") == 1)
        func rows(_ database: String) throws -> [String] {
            try tool.lines("psql", "b", "-d", database, "--", "-XAtqc", "SELECT count(*) FROM t")
        }
        #expect(try rows("app") == ["2"])
        let url = try tool.lines("url", "b", "-d", "app")[0]
        let dump = try tool.run(
            "run",
            "--fork",
            "b",
            "-d",
            "app",
            "--",
            "pg_dump",
            "-Fc",
            "-f",
            "d"
        )
        #expect(dump.code == 0, "\(dump.messages)")
        try tool.lines("import", "--from", "d", "--into", "b", "-d", "app2")
        try tool.lines("import", "--from", url, "--into", "b", "-d", "app3")
        #expect(try rows("app2") + rows("app3") == ["2", "2"])
        let twice = try tool.run("import", "--from", url, "--into", "b", "-d", "app3")
        #expect(twice.code == 1)
        #expect(twice.messages.contains("app3 of b has tables already"))
        let bad = try tool.run("import", "--from", "bad.sql", "--into", "b", "-d", "app4")
        #expect(bad.code == 1)
        #expect(bad.messages.contains("division by zero"))
        let names = try psql(tool, "b", "SELECT datname FROM pg_database ORDER BY 1")
        #expect(names == ["app", "app2", "app3", "postgres", "template0", "template1"])
        #expect(try psql(tool, "main", "SELECT count(*) FROM pg_database") == ["3"])
        let cluster = try tool.run("import", "--from", "no-such-thing")
        #expect(cluster.messages.contains("there is no such file or folder"))
    }

    /// PostgreSQL starts in no folder that others can come to, as one often is that was copied.
    @Test func `a cluster comes in from a folder that is open to others`() throws {
        let tool = try Tool()
        _ = try ServedTool(tool).end()
        try tool.lines("export", "main:/pgdata", "copy")
        let copy = tool.folder.appending(path: "copy")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy.path)
        try tool.lines("init", "other")
        try tool.lines("import", "--from", "copy", "--into", "main", "-s", "other")
        let folder = try tool.json("fs", "stat", "main:/pgdata", "-s", "other")
        #expect(folder.text("permissions") == "0700")
    }

    @Test func `a program runs on a fork that goes with it`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        defer { _ = server.end() }
        _ = try psql(tool, "main", "CREATE TABLE t(x int)")
        let script = """
            psql -XAtqc 'INSERT INTO t VALUES (1)' &&
            psql -XAtqc 'SELECT count(*) FROM t' "$DATABASE_URL" && echo $OXBOW_BRANCH
            exit 7
            """
        let outcome = try tool.run("run", "--fork", "main", "--", "sh", "-c", script)
        #expect(outcome.code == 7, "\(outcome.messages)")
        #expect(outcome.lines.first == "1")
        #expect(outcome.lines.last?.hasPrefix("run-") == true)
        #expect(try psql(tool, "main", "SELECT count(*) FROM t") == ["0"])
        #expect(try tool.lines("branch", "list").count == 2)
        let refused = try tool.run("run", "--json", "--fork", "nothing", "--", "true")
        #expect(refused.code == 1 && refused.text.contains(#""kind": "notFound""#), "\(refused)")
        let none = try tool.run("run", "--fork", "main", "--", "no-such-program")
        #expect(none.code == 1)
        #expect(none.messages.contains("run no-such-program: No such file"))
        #expect(try tool.lines("branch", "list").count == 2)
    }

    @Test(arguments: ["DROP BRANCH \"$0\"", "RENAME BRANCH \"$0\" TO kept"])
    func `a fork that its program dropped or renamed is gone as well`(statement: String) throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        defer { _ = server.end() }
        let words = statement.replacing("\"", with: "\\\"").replacing("$0", with: "$OXBOW_BRANCH")
        let script = "psql -Xqd oxbow -c \"\(words)\""
        let outcome = try tool.run("run", "--fork", "main", "--", "sh", "-c", script)
        #expect(outcome.code == 0 && outcome.messages.isEmpty, "\(outcome)")
        #expect(try tool.lines("branch", "list").count == 2)
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1])
    func `a run that is told to end ends its program, and its fork`(signal: Int32) throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        defer { _ = server.end() }
        let process = tool.process([
            "run", "--fork", "main", "--", "sh", "-c", "echo here; exec sleep 1000",
        ])
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        #expect(output.fileHandleForReading.availableData == Data("here\n".utf8))
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 128 + signal)
        #expect(try tool.lines("branch", "list").count == 2)
    }

    @Test func `a server makes its store, takes commands, and leaves a sound store`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        #expect(server.started.text("url")?.hasPrefix("postgresql://postgres:") == true)
        #expect(server.started.text("branch") == "main")
        #expect(server.started.number("port") ?? 0 > 0)
        try tool.lines("branch", "create", "a", "--from", "main")
        try tool.lines("fs", "put", "-", "a:/note", input: [1])
        #expect(try tool.lines("fs", "ls", "a:/").contains("note"))
        let second = try tool.run("serve", "--listen", ":0")
        #expect(second.code == 1)
        #expect(second.messages.contains("in use by process"))
        #expect(server.end() == 0)
        #expect(try tool.lines("fs", "ls", "a:/").contains("note"))
        #expect(try tool.run("check").code == 0)
    }
}
