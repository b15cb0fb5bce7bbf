import Foundation
import OxbowCLI
import Testing

@Suite struct FileCommandTests {
    @Test func `a file goes in, is seen, and comes out`() throws {
        let tool = try Tool.withFileStore()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 8) }
        try tool.makeFile("local", bytes)
        #expect(try tool.lines("fs", "put", "local", "main:/a") == ["wrote 2.8 MiB to main:/a"])
        #expect(try tool.run("fs", "cat", "main:/a").bytes == bytes)
        try tool.lines("fs", "put", "-", "main:/a", input: [1, 2, 3])
        #expect(try tool.run("fs", "get", "main:/a", "-").bytes == [1, 2, 3])
        try tool.lines("fs", "get", "main:/a", "back")
        #expect(try tool.bytes("back") == [1, 2, 3])
        #expect(try tool.lines("fs", "ls", "main:/") == ["a"])
        let cat = try tool.json("fs", "cat", "main:/a")
        #expect(cat.text("base64") == "AQID")
    }

    @Test func `what is put in a file's place keeps its mode`() throws {
        let tool = try Tool.withFileStore()
        try tool.shell("mkdir tree; printf a > tree/a; chmod 0600 tree/a")
        try tool.lines("import", "tree", "main")
        let told = try tool.json("fs", "put", "-", "main:/a", input: [1])
        #expect(told.flag("replaced") == true)
        #expect(try tool.json("fs", "stat", "main:/a").text("permissions") == "0600")
    }

    @Test func `a folder stands for the file in it`() throws {
        let tool = try Tool.withFileStore()
        try tool.makeFile("x/local", [5])
        try tool.lines("fs", "mkdir", "main:/d")
        try tool.lines("fs", "put", "x/local", "main:/d")
        try tool.lines("fs", "put", "x/local", "main:/d/")
        #expect(try tool.lines("fs", "ls", "main:/d") == ["local"])
        try tool.shell("mkdir out")
        try tool.lines("fs", "get", "main:/d/local", "out")
        #expect(try tool.bytes("out/local") == [5])
        try tool.lines("fs", "put", "x/local", "main:/")
        #expect(try tool.lines("fs", "ls", "main") == ["d", "local"])
    }

    @Test func `folders are made and removed, with what is in them where that is said`() throws {
        let tool = try Tool.withFileStore()
        #expect(try tool.run("fs", "mkdir", "main:/a/b/c").code == 1)
        #expect(try tool.json("fs", "mkdir", "-p", "main:/a/b/c").number("made") == 3)
        #expect(try tool.json("fs", "mkdir", "-p", "main:/a/b/c").number("made") == 0)
        #expect(try tool.run("fs", "mkdir", "main:/a").code == 1)
        try tool.lines("fs", "put", "-", "main:/a/b/f", input: [1])
        #expect(try tool.run("fs", "rm", "main:/a").code == 1)
        let removed = try tool.json("fs", "rm", "-r", "main:/a")
        #expect(removed.number("removed") == 4)
        #expect(try tool.lines("fs", "ls", "main:/") == [])
        let before = try #require(removed.text("before"))
        #expect(try tool.run("fs", "cat", "main@\(before):/a/b/f").bytes == [1])
        #expect(try tool.json("check").flag("sound") == true)
    }

    @Test func `every kind of point shows the files of then`() throws {
        let tool = try Tool.withFileStore()
        try tool.lines("fs", "put", "-", "main:/a", input: [1])
        let record = try tool.json("history", "main").list("records")[0]
        let (lsn, time) = (record.text("lsn") ?? "", record.text("time") ?? "")
        try tool.lines("snapshot", "create", "then", "--of", "main")
        try tool.lines("fs", "put", "-", "main:/a", input: [2])
        for point in [lsn, time, "then"] {
            #expect(try tool.run("fs", "cat", "main@\(point):/a").bytes == [1], "\(point)")
        }
        for point in ["@head", ""] {
            #expect(try tool.run("fs", "cat", "main\(point):/a").bytes == [2])
        }
        let refused = try tool.run("fs", "rm", "main@then:/a")
        #expect(refused.code == 2)
        #expect(
            refused.messages == "oxbow: main@then is a moment gone by, and cannot be changed: "
                + "write to main, or to a fork of it: oxbow branch create NAME --from main@then\n"
        )
    }

    @Test func `du counts pages, and each file once`() throws {
        let tool = try Tool.withFileStore()
        try tool.shell(
            """
            mkdir -p tree/in; cd tree; head -c 20000 /dev/zero > a; ln a in/again
            truncate -s 1G hole; head -c 8192 /dev/zero > in/b
            """
        )
        try tool.lines("import", "tree", "main")
        let usage = try tool.json("fs", "du", "main:/")
        // Content; the entries of the root and of `in`; the inodes.
        let folder = try #require(usage.list("folders").first { $0.text("path") == "/in" })
        #expect(folder.number("pages").map { $0 >= 5 } == true)
        #expect(usage.number("pages") == 3 + 1 + 3 + 2 + 5)
        #expect(usage.number("files") == 3)
        #expect(try tool.lines("fs", "du", "-s", "main:/").count == 2)
    }

    @Test func `a branch with files refuses pages, unless it is forced`() throws {
        let tool = try Tool.withFileStore()
        try tool.lines("fs", "put", "-", "main:/a", input: [1])
        let bytes = [UInt8](repeating: 1, count: 8192)
        let refused = try tool.run("page", "write", "main", "1", "17", input: bytes)
        #expect(refused.code == 1)
        #expect(
            refused.messages == "oxbow: branch main holds files, which pages written by hand can "
                + "destroy: use `oxbow fs put`, or say --force\n"
        )
        #expect(try tool.json("check").flag("sound") == true)
        try tool.lines("page", "write", "main", "1", "17", "--force", input: bytes)
        let outcome = try tool.run("check")
        #expect(outcome.code == 1)
        #expect(outcome.lines[0].hasPrefix("files of main: inode 17: no inode"))
        let report = try tool.json("check", code: 1)
        #expect(report.flag("sound") == false)
        #expect(report.list("problems").isEmpty)
        #expect(report.number("volumes.0.problemCount") == 1)
        #expect(try tool.run("fs", "cat", "main:/a").code == 1)
    }

    @Test func `the check counts the files of each branch, and skips pages that are none`() throws {
        let tool = try Tool.withFileStore()
        try tool.lines("fs", "put", "-", "main:/a", input: [1])
        try tool.lines("branch", "create", "fork", "--from", "main")
        try tool.lines("fs", "put", "-", "fork:/b", input: [2])
        let first = try #require(
            try tool.json("history", "main", "--from", "oldest")
                .text("records.0.lsn")
        )
        try tool.lines("branch", "create", "pages", "--from", "main@\(first)")
        let bytes = [UInt8](repeating: 1, count: 8192)
        try tool.lines("page", "write", "pages", "0", "0", input: bytes)
        let report = try tool.json("check")
        #expect(report.list("volumes").compactMap { $0.text("branch") } == ["main", "fork"])
        #expect(report.list("volumes").compactMap { $0.number("files") } == [1, 2])
        #expect(try tool.lines("check")[0].hasSuffix("3 files on 2 branches"))
    }

    @Test(
        arguments: [
            ("fs cat main:/nope", 1, "main:/nope: there is no such file or folder"),
            ("fs cat main:/d", 1, "main:/d: it is a folder"),
            ("fs ls main:/a/b", 1, "main:/a/b: something on this path is no folder"),
            ("fs cat main:etc", 2, "a path begins with a slash: write main:/etc"),
            (
                "fs ls :/x", 2,
                "\":/x\" names no branch: write BRANCH:/path, such as main:/etc/motd"
            ),
            ("fs ls mian:/", 1, "there is no branch mian; did you mean main?"),
            (
                "fs ls empty:/", 1,
                "empty holds no files: `oxbow fs put` and `oxbow import` put some into a branch"
            ),
            (
                "fs rm main:/d", 1,
                "main:/d is a folder: say --recursive to remove it and all that is in it"
            ),
            (
                "fs rm -r main:/", 2,
                "the root cannot be removed: name what is in it, such as main:/etc"
            ),
            ("fs put - main:/d", 1, "main:/d is a folder: name a file in it"),
            ("fs put nope main:/x", 1, "open nope: No such file or directory"),
            ("fs put . main:/x", 1, ". is a folder: `oxbow import` copies whole trees"),
            ("fs get main:/d x", 1, "main:/d is a folder: `oxbow export` copies whole trees"),
            ("fs get main:/a no/such", 1, "no/such: there is no folder no; make it first"),
            ("import a main:/x", 1, "a is no folder: `oxbow fs put` copies a file"),
            (
                "fs get main:/a - --json", 2,
                "--json needs the standard output for itself: name a file, or use fs cat"
            ),
            (
                "simulate --files --seeds 1..2 --replay 1", 2,
                "--replay runs one seed: leave out --seeds, or --replay"
            ),
        ] as [(String, Int32, String)]
    )
    func `errors say what is wrong`(line: String, code: Int32, message: String) throws {
        let tool = try Tool.withFileStore()
        try tool.lines("branch", "create", "empty", "--from", "main")
        try tool.lines("fs", "put", "-", "main:/a", input: [1])
        try tool.lines("fs", "mkdir", "main:/d")
        try tool.makeFile("a", [1])
        let arguments = line.split(separator: " ").map(String.init)
        let outcome = try tool.run(arguments, input: [])
        #expect(outcome.code == code)
        if line.contains("--json") {
            #expect(try Document(outcome.bytes).text("error.message") == message)
        } else {
            #expect(outcome.messages == "oxbow: \(message)\n")
        }
        #expect(try tool.lines("fs", "ls", "main:/") == ["a", "d"])
    }

    @Test func `what has no content is named`() throws {
        let tool = try Tool.withFileStore()
        try tool.shell("mkdir tree; mkfifo tree/p")
        try tool.lines("import", "tree", "main")
        for words in [["fs", "cat", "main:/p"], ["fs", "get", "main:/p", "x"]] {
            let refused = try tool.run(words)
            #expect(refused.code == 2)
            #expect(refused.messages == "oxbow: main:/p is a pipe, and has no content\n")
        }
    }

    @Test func `a store of small pages says that files need larger ones`() throws {
        let tool = try Tool.withStore()
        let refused = try tool.run("fs", "put", "-", "main:/a", input: [1])
        #expect(refused.code == 1)
        #expect(refused.messages.contains("files need pages of at least 8192 bytes"))
    }

    @Test func `arguments are bytes, and come back as they were`() {
        for bytes: [UInt8] in [
            [], Array("plain".utf8), [0xFF], [0xC3], [0xC3, 0xA4, 0xFE], [0xF4, 0x8F, 0xBE, 0x80],
            [0xED, 0xA0, 0x80, 0x41], Array(1...255),
        ] { #expect(RawText.bytes(RawText.text(bytes)) == bytes) }
        #expect(RawText.text(Array("ünï".utf8)) == "ünï")
    }

    @Test func `a simulation of files says what it did, and can be told again`() throws {
        let tool = try Tool()
        let outcome = try tool.run("simulate", "--files", "--seeds", "1..2")
        #expect(outcome.code == 0)
        #expect(outcome.lines[0].hasPrefix("2 seeds, "))
        let report = try tool.json("simulate", "--files", "--seeds", "1..2")
        #expect(report.number("seeds") == 2)
        #expect(report.flag("passed") == true)
        let journal = try tool.run("simulate", "--files", "--replay", "1")
        #expect(journal.lines.last == "passed")
        #expect(journal.lines.count > 10)
    }
}
