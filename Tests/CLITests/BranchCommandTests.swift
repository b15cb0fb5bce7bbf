import Foundation
import Testing

@Suite struct BranchCommandTests {
    @Test func `a branch is made, listed, shown and deleted`() throws {
        let tool = try Tool.withStore()
        let made = try tool.lines(
            "branch",
            "create",
            "pr-1",
            "--from",
            "main",
            "--expires",
            "7d",
            "--label",
            "ticket=7"
        )
        #expect(made.first?.hasPrefix("created branch pr-1 from main@L") == true)
        let shown = try tool.lines("branch", "show", "pr-1")
        #expect(shown.first == "pr-1")
        #expect(shown.contains("  by         alice ticket=7"))
        #expect(shown.contains("  protected  no"))
        let list = try tool.lines("branch", "list")
        #expect(list.count == 3)
        #expect(list[0].hasPrefix("BRANCH  ID"))
        #expect(list[2].hasPrefix("pr-1"))
        #expect(list[2].contains("expires 20"))
        #expect(
            try tool.lines("branch", "delete", "pr-1")
                == ["deleted pr-1: `oxbow branch undelete pr-1` brings it back"]
        )
        #expect(try tool.lines("branch", "list").count == 2)
        #expect(try tool.lines("branch", "list", "--all").count == 3)
        #expect(try tool.lines("branch", "show", "pr-1").contains { $0.contains("deleted    20") })
        #expect(try tool.lines("branch", "undelete", "pr-1") == ["pr-1 is back"])
        #expect(try tool.lines("branch", "list").count == 3)
    }

    @Test func `every event of a branch is told, with who and why`() throws {
        let tool = try Tool.withStore()
        let id = try #require(
            try tool.json("branch", "create", "a", "--from", "main").text("branch.id")
        )
        try tool.lines("branch", "protect", "a", "--actor", "bob")
        #expect(try tool.run("branch", "delete", "a").code == 1)
        try tool.lines("branch", "protect", "a", "--off")
        try tool.lines("branch", "rename", "a", "b", "--label", "why=tidy", "--label", "x=y=z")
        try tool.lines("branch", "expire", id, "never")
        try tool.lines("branch", "reset", "b", "--to", "main@head")
        let shown = try tool.json("branch", "show", id)
        let events = shown.list("events")
        #expect(
            events.map { $0.text("action") } == [
                "created", "protected", "unprotected", "renamed", "expiry", "reset",
            ]
        )
        #expect(events[1].text("actor") == "bob")
        #expect(events[3].text("actor") == Tool.actor)
        #expect(events[3].text("detail") == "b")
        #expect(events[3].text("labels.x") == "y=z")
        #expect(shown.text("branch.name") == "b")
        #expect(shown.text("branch.parent.name") == "main")
        #expect(shown.flag("branch.protected") == false)
    }

    @Test func `who is refused is told the command that helps`() throws {
        let tool = try Tool.withStore()
        let id = try #require(try tool.json("branch", "show", "main").text("branch.id"))
        try tool.lines("branch", "protect", "main")
        for line in [["delete", "main"], ["reset", "main", "--to", "head"]] {
            let refused = try tool.run(["branch"] + line)
            #expect(refused.code == 1)
            #expect(
                refused.messages == "oxbow: branch main is protected: `oxbow branch protect main "
                    + "--off` takes that away\n"
            )
        }
        try tool.lines("branch", "protect", "main", "--off")
        try tool.lines("snapshot", "create", "s1", "--of", "main")
        let taken = try tool.run("branch", "create", "s1", "--from", "main")
        #expect(taken.messages.hasPrefix("oxbow: a snapshot s1 exists already, of main@L"))
        try tool.lines("branch", "delete", "main")
        for reference in ["main", id] {
            let gone = try tool.run("page", "read", reference, "1", "0")
            #expect(gone.code == 1)
            let help = "`oxbow branch undelete \(reference)` brings it back\n"
            #expect(gone.messages.hasPrefix("oxbow: branch main was deleted ("))
            #expect(gone.messages.hasSuffix(help))
        }
        let none = try tool.run("branch", "create", "x", "--from", "other")
        #expect(none.code == 1)
        #expect(none.messages.hasPrefix("oxbow: there is no branch other, nor any other: "))
        #expect(try tool.lines("branch", "show", id).first == "main")
    }

    @Test func `who is refused is told no command that cannot help`() throws {
        let tool = try Tool.withStore()
        try tool.lines("branch", "delete", "main")
        try tool.lines("window", "set", "--time", "1ms", "--bytes", "0")
        for _ in 0..<3 { try tool.lines("reclaim") }
        #expect(try tool.run("branch", "undelete", "main").code == 1)
        for line in [["rename", "main", "x"], ["reset", "main", "--to", "head"]] {
            let refused = try tool.run(["branch"] + line)
            #expect(refused.code == 1)
            #expect(refused.messages.hasPrefix("oxbow: branch main was deleted ("))
            #expect(refused.messages.hasSuffix("), before the history that is kept\n"))
        }
        let none = try tool.run("branch", "create", "x", "--from", "other")
        #expect(none.messages == "oxbow: there is no branch other, nor any other\n")
    }

    @Test func `an undo is told as one`() throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1))
        try tool.lines("page", "write", "main", "1", "0", input: page(2))
        let first = try tool.json("history", "main").text("records.1.lsn")
        try tool.lines("branch", "reset", "main", "--to", try #require(first))
        try tool.lines("branch", "undo", "main")
        let events = try tool.json("branch", "show", "main").list("events")
        #expect(events.compactMap { $0.text("action") }.suffix(2) == ["reset", "undo"])
        #expect(try tool.run("page", "read", "main", "1", "0").bytes == page(2))
    }

    @Test func `a tree shows what was forked from what`() throws {
        let tool = try Tool.withStore()
        for (name, from) in [("a", "main"), ("b", "main"), ("a1", "a"), ("a2", "a"), ("a11", "a1")]
        {
            try tool.lines("branch", "create", name, "--from", from)
        }
        func drawn(_ more: String...) throws -> [String] {
            let outcome = try tool.run(["branch", "list", "--tree"] + more)
            return outcome.lines.dropFirst().map { line in
                line.components(separatedBy: "  L").first?.trimmingCharacters(in: .whitespaces)
                    ?? line
            }
        }
        let whole = ["main", "├─ a", "│  ├─ a1", "│  │  └─ a11", "│  └─ a2", "└─ b"]
        #expect(try drawn() == whole)
        for name in ["a", "a2", "b"] { try tool.lines("branch", "delete", name) }
        #expect(try drawn() == ["main", "└─ a", "└─ a1", "└─ a11"])
        #expect(try drawn("--all") == whole)
    }

    @Test func `a deleted branch whose name is taken comes back under another`() throws {
        let tool = try Tool.withStore()
        try tool.lines("branch", "create", "x", "--from", "main")
        try tool.lines("branch", "delete", "x")
        let second = try tool.json("branch", "create", "x", "--from", "main").text("branch.id")
        let refused = try tool.run("branch", "undelete", "x")
        #expect(refused.code == 1)
        #expect(refused.messages.hasPrefix("oxbow: branch x exists already"))
        #expect(try tool.lines("branch", "undelete", "x", "--as", "x-old") == ["x-old is back"])
        #expect(try tool.json("branch", "show", "x").text("branch.id") == second)
    }

    @Test func `a reset is undone, and an undo too`() throws {
        let tool = try Tool.withStore()
        func first() throws -> UInt8? {
            try tool.run("page", "read", "main", "1", "0").bytes.first
        }
        try tool.lines("page", "write", "main", "1", "0", input: page(1))
        let before = try #require(try tool.json("point", "main").text("lsn"))
        try tool.lines("snapshot", "create", "good", "--of", "main")
        try tool.lines("page", "write", "main", "1", "0", input: page(2))
        let told = try tool.lines("branch", "reset", "main", "--to", before)
        #expect(told.first?.hasPrefix("main shows what stood at \(before) (20") == true)
        #expect(told.first?.hasSuffix("`oxbow branch undo main` goes back") == true)
        #expect(try first() == 1)
        try tool.lines("branch", "undo", "main")
        #expect(try first() == 2)
        try tool.lines("branch", "undo", "main")
        #expect(try first() == 1)
        try tool.lines("branch", "undo", "main")
        try tool.lines("branch", "reset", "main", "--to", "good")
        #expect(try first() == 1)
    }

    @Test func `fork from the past shows the past`() throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1))
        let point = try #require(try tool.json("point", "main").text("lsn"))
        try tool.lines("page", "write", "main", "1", "0", input: page(2))
        let made = try tool.json("branch", "create", "was", "--from", "main@\(point)")
        #expect(made.text("branch.origin") == point)
        #expect(try tool.run("page", "read", "was", "1", "0").bytes == page(1))
        #expect(try tool.run("page", "read", "main", "1", "0").bytes == page(2))
    }

    @Test func `a branch that has expired says so, and goes with the next reclaim`() throws {
        let tool = try Tool.withStore()
        try tool.lines("branch", "create", "short", "--from", "main", "--expires", "1ms")
        usleep(2000)
        #expect(try tool.lines("branch", "list").contains { $0.contains("  expired 20") })
        try tool.lines("reclaim")
        #expect(try tool.lines("branch", "list").count == 2)
        let events = try tool.json("branch", "show", "short").list("events")
        #expect(events.last?.text("action") == "deleted")
        #expect(events.last?.text("actor") == "expiry")
    }
}
