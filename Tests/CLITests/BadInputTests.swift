import Foundation
import OxbowCLI
import Testing

/// What people get wrong, and the one line that they are told.
@Suite struct BadInputTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let line: String
        let code: Int32
        let message: String

        init(_ line: String, _ code: Int32, _ message: String) {
            self.line = line
            self.code = code
            self.message = message
        }

        var testDescription: String { line }
    }

    static let cases = [
        Case("brnch list", 2, "there is no command \"brnch\"; did you mean branch?"),
        Case(
            "branch",
            2,
            "branch what? Say one of create, list, show, rename, protect, expire, delete, "
                + "undelete, "
                + "reset or undo: oxbow branch create"
        ),
        Case("branch lsit", 2, "there is no command \"branch lsit\"; did you mean list?"),
        Case("branch list --al", 2, "branch list has no option --al; did you mean --all?"),
        Case(
            "branch list x",
            2,
            "\"x\" is one argument too many: oxbow branch list [--tree] [--all]"
        ),
        Case(
            "branch create x",
            2,
            "branch create needs --from BRANCH[@POINT]: oxbow branch create NAME --from "
                + "BRANCH[@POINT] [--expires WHEN] [--if-not-exists] [--actor WHO] "
                + "[--label KEY=VALUE]..."
        ),
        Case(
            "branch create X --from main",
            2,
            "\"X\" is no name: take 1 to 63 lower-case letters, digits and dashes, a letter first "
                + "and no dash last"
        ),
        Case(
            "branch create x --from Main",
            2,
            "\"Main\" is no branch: write its name, such as main, or its id, such as B1000"
        ),
        Case(
            "branch create x --from main@",
            2,
            "\"\" is no moment: write an LSN (L16B3F28), a time with its zone "
                + "(2026-04-08T22:56:02Z), a time back (10m), a snapshot's name, a position of "
                + "PostgreSQL's log (0/16B3F28), or head"
        ),
        Case(
            "branch create x --from main@2026-04-08T22:56:02",
            2,
            "\"2026-04-08T22:56:02\" is no moment: write an LSN (L16B3F28), a time with its zone "
                + "(2026-04-08T22:56:02Z), a time back (10m), a snapshot's name, a position of "
                + "PostgreSQL's log (0/16B3F28), or head"
        ),
        Case(
            "branch create x --from main --expires soon",
            2,
            "\"soon\" is no expiry: write how long from now (1h, 7d), a time with its zone "
                + "(2026-04-08T22:56:02Z), or never"
        ),
        Case(
            "branch create x --from main --expires 0s",
            2,
            "\"0s\" is no expiry: write how long from now (1h, 7d), a time with its zone "
                + "(2026-04-08T22:56:02Z), or never"
        ),
        Case(
            "branch create x --from main --label k",
            2,
            "\"k\" is no label: write KEY=VALUE, such as ticket=1432"
        ),
        Case(
            "branch create x --from main --label oxbow.use=moment",
            2,
            "\"oxbow.use=moment\": labels that begin with oxbow. are the server's own"
        ),
        Case(
            "branch create main --from main",
            1,
            "branch main exists already, made with the store"
        ),
        Case("branch create x --from mian", 1, "there is no branch mian; did you mean main?"),
        Case(
            "branch create x --from main@yesterday",
            1,
            "there is no snapshot yesterday: `oxbow snapshot list` shows those there are; other "
                + "moments are an LSN (L16B3F28), a time with its zone (2026-04-08T22:56:02Z) and "
                + "a "
                + "time back (10m)"
        ),
        Case(
            "branch show nothing-like-it",
            1,
            "there is no branch nothing-like-it: `oxbow branch list` shows those there are"
        ),
        Case("branch show B77", 1, "there is no branch B77"),
        Case(
            "branch create x --from main --expires 2020-01-01T00:00:00Z",
            2,
            "an expiry must lie in the future, and 2020-01-01T00:00:00.000000000Z does not"
        ),
        Case("branch expire main 1960-01-01T00:00:00Z", 2, "an expiry must lie in the future"),
        Case("point main@1960-01-01T00:00:00Z", 1, "branch main has no history that far back"),
        Case("point main@1000000d", 1, "branch main has no history that far back"),
        Case("window set", 2, "window set what? Say --time DURATION, --bytes BYTES, or both"),
        Case("window set --clear", 2, "--clear takes a branch's own window away: say --branch"),
        Case(
            "window set --clear --time 1d --branch main",
            2,
            "--clear takes a branch's own window away: say --branch"
        ),
        Case("window set --time 7", 2, "\"7\" is no duration: write a number and a unit"),
        Case("window set --time 7d --branch x", 1, "there is no branch x"),
        Case(
            "branch undelete main",
            1,
            "there is no deleted branch main: `oxbow branch list --all` shows those there are"
        ),
        Case("branch undo main", 1, "branch main was never reset: nothing to undo"),
        Case("branch reset main --to main@Z", 2, "\"Z\" is no moment: write an LSN"),
        Case(
            "history main --from latest",
            2,
            "\"latest\" is no end of a history: write newest or oldest"
        ),
        Case("history main -n 0", 2, "\"0\" is no limit: write a number from 1 to 1000000"),
        Case(
            "history main --after 16B3",
            2,
            "\"16B3\" is no LSN: write an L and hexadecimal digits, such as L16B3F28"
        ),
        Case("history", 2, "BRANCH is missing: oxbow history BRANCH [--from END]"),
        Case("point main@1y", 2, "\"1y\" is no moment: write an LSN"),
        Case(
            "snapshot create head --of main",
            2,
            "\"head\" means what a branch shows now: take another name"
        ),
        Case("snapshot create main --of main", 1, "branch main exists already"),
        Case("snapshot delete none", 1, "there is no snapshot none"),
        Case(
            "page read main 1 x",
            2,
            "\"x\" is no page: write a number from 0 to 18446744073709551614"
        ),
        Case("page read main -1 0", 2, "page read has no option -1: `oxbow help page read` lists"),
        Case(
            "page read main 1 0 -n 99999999999999999999",
            2,
            "\"99999999999999999999\" is no count of pages: write a number"
        ),
        Case(
            "page read main 1 18446744073709551614 -n 2",
            2,
            "page 18446744073709551614 is the last there can be: ask for fewer"
        ),
        Case(
            "dump --kind comit",
            2,
            "\"comit\" is no kind of record: write commit, blocks, checkpoint, lifecycle or mark"
        ),
        Case(
            "init --page-size 1000",
            2,
            "\"1000\" is no page size: write a power of two from 512 to 65536"
        ),
        Case(
            "init --segment-size 1X",
            2,
            "\"1X\" is no count of bytes: write a number, or one with K, M, G or T"
        ),
        Case(
            "init x --window long",
            2,
            "\"long\" is no duration: write a number and a unit, such as 90s, 12h or 7d"
        ),
        Case("init x --page-size 64K --segment-size 64K", 2, "pages of 65536 bytes and segments"),
        Case("init x --store y", 2, "the folder is given twice: say DIR or --store, and not both"),
        Case("init a/b", 1, "open a/b: the folder above it is not there"),
        Case(
            "init data",
            1,
            "there is a store in data already: use it, or name another folder"
        ),
        Case("init .", 1, ". is not empty (data is in it): name an empty folder, or a new one"),
        Case(
            "branch list --store nowhere",
            1,
            "there is no store in nowhere: make one with `oxbow init nowhere`, or say --store DIR"
        ),
        Case(
            "branch list --store data/superblock",
            1,
            "open data/superblock: a file stands where a folder should be"
        ),
        Case(
            "dump --store data/superblock",
            1,
            "dump data/superblock: a file stands where a folder should be"
        ),
        Case("dump --store nowhere", 1, "there is no store in nowhere: make one with `oxbow init"),
        Case("help brunch", 2, "there is no command \"brunch\"; did you mean branch?"),
        Case(
            "simulate --seeds 3..1",
            2,
            "\"3..1\" is no range of seeds: write the first and the last, such as 1..100"
        ),
        Case("simulate --seeds 1..2 --replay 1", 2, "--replay runs one seed: leave out --seeds"),
        Case("version --store x", 2, "version works on no store: leave out --store"),
    ]

    static let store = Result { try Tool.withStore() }

    @Test(arguments: cases)
    func `bad input gets one line that says what would be right`(bad: Case) throws {
        let tool = try Self.store.get()
        // Each in a copy, so that they run beside each other.
        let copy = try Tool()
        try FileManager.default.copyItem(atPath: tool.path("data"), toPath: copy.path("data"))
        let arguments = bad.line.split(separator: " ").map(String.init)
        let outcome = try copy.run(arguments)
        #expect(outcome.code == bad.code)
        #expect(outcome.text == "")
        #expect(outcome.messages.hasPrefix("oxbow: \(bad.message)"), "\(outcome.messages)")
        #expect(outcome.messages.filter { $0 == "\n" }.count == 1)
        let asJSON = try copy.run(arguments + ["--json"])
        #expect(asJSON.code == bad.code)
        #expect(asJSON.messages == "")
        let message = try Document(asJSON.bytes).text("error.message") ?? ""
        #expect("oxbow: \(message)\n" == outcome.messages)
    }

    @Test(arguments: [
        ("brnch", "usage"), ("branch show x", "notFound"), ("init data", "conflict"),
        ("page write main 1 0", "input"), ("init x --page-size 64K --segment-size 64K", "invalid"),
    ])
    func `an error as JSON has a kind`(line: String, kind: String) throws {
        let tool = try Tool.withStore()
        let arguments = line.split(separator: " ").map(String.init) + ["--json"]
        #expect(try Document(tool.run(arguments).bytes).text("error.kind") == kind)
    }

    @Test func `a folder without a store stays as it was`() throws {
        let tool = try Tool()
        for line in ["branch list", "check", "stats", "reclaim", "dump", "page read main 1 0"] {
            let arguments = line.split(separator: " ").map(String.init)
            #expect(try tool.run(arguments).code == 1)
            #expect(try tool.run(arguments + ["--store", "."]).code == 1)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: tool.folder.path) == [])
    }

    @Test func `the store comes from the option, the environment, or the folder one is in`() throws
    {
        let tool = try Tool()
        try tool.run("init", "one")
        try tool.run("init", "--store", "two")
        try tool.run("branch", "create", "b", "--from", "main", "--store", "two")
        func count(_ arguments: [String], _ store: String) throws -> Int {
            try tool.run(arguments, environment: ["OXBOW_STORE": store]).lines.count
        }
        #expect(try count(["branch", "list"], "one") == 2)
        #expect(try count(["branch", "list"], "two") == 3)
        #expect(try count(["-s", "two", "branch", "list"], "one") == 3)
        #expect(try count(["branch", "--store=two", "list"], "one") == 3)
        let process = tool.process(["branch", "list"], ["OXBOW_STORE": ""])
        process.currentDirectoryURL = tool.folder.appending(path: "two")
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func `the second process is refused, and told who has the store`() throws {
        let tool = try Tool.withStore()
        let holder = tool.process(["page", "write", "main", "1", "0"])
        let input = Pipe()
        holder.standardInput = input
        holder.standardOutput = FileHandle.nullDevice
        try holder.run()
        let pid = holder.processIdentifier
        for _ in 0..<1000 {
            // Who holds the store has written its number there.
            let lock = try? String(contentsOfFile: tool.path("data/lock"), encoding: .utf8)
            if lock == "\(pid)\n" { break }
            usleep(10_000)
        }
        let outcome = try tool.run("branch", "list")
        #expect(outcome.code == 1)
        #expect(
            outcome.messages == "oxbow: open data: the store is in use by process \(pid)\n"
        )
        let asJSON = try Document(tool.run("stats", "--json").bytes)
        #expect(asJSON.text("error.kind") == "busy")
        // Looking at the log needs nobody's leave.
        #expect(try tool.run("dump").code == 0)
        try input.fileHandleForWriting.write(contentsOf: Data(page(4)))
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        #expect(holder.terminationStatus == 0)
        #expect(try tool.run("page", "read", "main", "1", "0").bytes == page(4))
    }
}
