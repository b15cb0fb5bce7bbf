import Foundation
import Testing

@Suite struct PastCommandTests {
    /// A store in which object 1's page 0 was written so many times.
    private func store(writes: Int) throws -> Tool {
        let tool = try Tool.withStore()
        for byte in 1...writes {
            try tool.lines("page", "write", "main", "1", "0", input: page(UInt8(byte)))
        }
        return tool
    }

    @Test func `history is listed from both ends, page by page`() throws {
        let tool = try store(writes: 5)
        let all = try tool.json("history", "main").list("records").map { $0.text("lsn") }
        #expect(all.count == 6)
        #expect(
            try tool.json("history", "main", "--from", "oldest").list("records")
                .map { $0.text("lsn") } == all.reversed()
        )
        var seen: [String?] = []
        var next: String?
        repeat {
            var arguments = ["history", "main", "-n", "2", "--json"]
            if let next { arguments += ["--after", next] }
            let page = try Document(try tool.run(arguments).bytes)
            seen += page.list("records").map { $0.text("lsn") }
            next = page.text("next")
        } while next != nil
        #expect(seen == all)
        let outcome = try tool.run("history", "main", "-n", "2", "--from", "oldest")
        #expect(outcome.lines.count == 3)
        #expect(outcome.lines[1].contains("began"))
        #expect(outcome.lines[2].contains("commit"))
        let last = all[4] ?? ""
        #expect(
            outcome.messages == "more: oxbow history main --from oldest --after \(last)\n"
        )
    }

    @Test func `a point says what was asked and which record that is`() throws {
        let tool = try store(writes: 2)
        let records = try tool.json("history", "main").list("records")
        let (lsn, time) = (records[1].text("lsn") ?? "", records[1].text("time") ?? "")
        let byTime = try tool.json("point", "main@\(time)")
        #expect(byTime.text("lsn") == lsn)
        #expect(byTime.text("requested") == time)
        #expect(byTime.number("distanceNanoseconds") == 0)
        #expect(byTime.text("next.lsn") == records[0].text("lsn"))
        let byLSN = try tool.json("point", "main@\(lsn)")
        #expect(byLSN.text("time") == time)
        #expect(byLSN.at("distanceNanoseconds") == nil)
        let future = try tool.json("point", "main@2200-01-01T00:00:00Z")
        #expect(future.text("lsn") == records[0].text("lsn"))
        #expect(future.at("next") == nil)
        let head = try tool.lines("point", "main")
        #expect(head[0] == "main@head")
        #expect(head.contains("  next    none: this is the head"))
        let early = try tool.run("point", "main@2000-01-01T00:00:00Z")
        #expect(early.code == 1)
        #expect(early.messages.contains("the earliest kept is 20"))
    }

    @Test func `a page of the past is read by time, record and snapshot`() throws {
        let tool = try store(writes: 3)
        let records = try tool.json("history", "main", "--from", "oldest").list("records")
        for byte in 1...3 {
            for key in ["lsn", "time"] {
                let point = records[byte].text(key) ?? ""
                let read = try tool.run("page", "read", "main@\(point)", "1", "0")
                #expect(read.bytes == page(UInt8(byte)))
            }
        }
        let point = records[2].text("lsn") ?? ""
        try tool.lines("snapshot", "create", "kept", "--of", "main@\(point)")
        #expect(try tool.run("page", "read", "main@kept", "1", "0").bytes == page(2))
        let snapshot = try tool.json("point", "main@kept")
        #expect(snapshot.text("lsn") == point)
        let next = records[3].text("lsn") ?? ""
        #expect(try tool.lines("point", "main@kept").contains { $0.contains(next) })
    }

    @Test func `snapshots are made, listed and let go of`() throws {
        let tool = try store(writes: 1)
        #expect(try tool.lines("snapshot", "list").count == 1)
        let made = try tool.lines("snapshot", "create", "a", "--of", "main")
        #expect(made.first?.hasPrefix("a keeps main@L") == true)
        try tool.json("snapshot", "create", "b", "--of", "main", "--label", "k=v")
        let list = try tool.json("snapshot", "list").list("snapshots")
        #expect(list.map { $0.text("name") } == ["a", "b"])
        #expect(list[1].text("labels.k") == "v")
        #expect(try tool.lines("snapshot", "list")[1].hasPrefix("a "))
        #expect(try tool.run("snapshot", "create", "a", "--of", "main").code == 1)
        #expect(try tool.lines("snapshot", "delete", "a") == ["deleted snapshot a"])
        #expect(try tool.json("snapshot", "delete", "b").text("deleted") == "b")
        #expect(try tool.json("snapshot", "list").list("snapshots").isEmpty)
    }

    @Test func `a snapshot is named by its own branch, even after that is deleted`() throws {
        let tool = try store(writes: 1)
        try tool.lines("branch", "create", "side", "--from", "main")
        try tool.lines("page", "write", "side", "1", "0", input: page(9))
        try tool.lines("snapshot", "create", "nine", "--of", "side")
        let refused = try tool.run("point", "main@nine")
        #expect(refused.code == 1)
        #expect(refused.messages == "oxbow: snapshot nine is of branch side: write side@nine\n")
        try tool.lines("branch", "delete", "side")
        #expect(try tool.run("page", "read", "side@nine", "1", "0").bytes == page(9))
        try tool.lines("branch", "create", "again", "--from", "side@nine")
        #expect(try tool.run("page", "read", "again", "1", "0").bytes == page(9))
    }
}
