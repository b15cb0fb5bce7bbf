import Foundation
import Oxbow
import Testing

@Suite struct UpkeepCommandTests {
    @Test func `stats say who uses the disk`() throws {
        let tool = try Tool.withStore()
        var bytes: [UInt8] = []
        for number in 0..<40 {
            bytes += (0..<Tool.pageSize).map { UInt8(truncatingIfNeeded: $0 * $0 >> (number % 7)) }
        }
        try tool.lines("page", "write", "main", "1", "0", input: bytes)
        try tool.lines("branch", "create", "side", "--from", "main")
        try tool.lines("page", "write", "side", "2", "0", input: bytes)
        let stats = try tool.json("stats")
        let branches = stats.list("branches")
        #expect(branches.map { $0.text("name") } == ["main", "side"])
        let alone = branches.compactMap { $0.number("aloneBytes") }
        #expect(alone[1] > alone[0])
        // What both show is nobody's alone.
        #expect(alone[0] < 2 * Tool.pageSize)
        #expect((stats.number("diskBytes") ?? 0) > 0)
        let lines = try tool.lines("stats")
        #expect(lines[0].wholeMatch(of: /[0-9.]+ [KM]?i?B of disk in \d+ segments/) != nil)
        #expect(lines.contains { $0.hasPrefix("BRANCH") })
        #expect(lines.contains { $0.hasPrefix("main") })
    }

    @Test func `reclaim gives back what nothing reaches`() throws {
        let tool = try Tool()
        try tool.run(
            "init",
            "data",
            "--page-size",
            "4096",
            "--segment-size",
            "64K",
            "--window-bytes",
            "64K",
            "--window",
            "1s"
        )
        var noise = SystemRandomNumberGenerator()
        for _ in 0..<30 {
            let bytes = (0..<8 * Tool.pageSize).map { _ in UInt8.random(in: 0...255, using: &noise)
            }
            try tool.lines("page", "write", "main", "1", "0", input: bytes)
        }
        let before = try tool.json("stats").number("diskBytes") ?? 0
        var freed = 0
        for _ in 0..<3 { freed += try tool.json("reclaim").number("freedBytes") ?? 0 }
        let after = try tool.json("stats").number("diskBytes") ?? 0
        #expect(freed > 0)
        #expect(try tool.json("reclaim").number("removedSegments") == 0)
        #expect(after < before)
        #expect(try tool.lines("reclaim").first?.hasPrefix("freed ") == true)
        #expect(try tool.json("check").flag("sound") == true)
        let dump = try tool.json("dump")
        #expect(dump.number("damaged") == 0)
    }

    @Test func `a sound store is called sound`() throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1))
        let lines = try tool.lines("check")
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix("sound: "))
        #expect(lines[0].contains("1 page,"))
        #expect(try tool.json("check").number("pages") == 1)
    }

    /// Changes a byte inside the page that was written as object 1, page 0.
    static func damage(_ tool: Tool) throws {
        let dump = try tool.json("dump", "--kind", "commit")
        let record = try #require(dump.list("items").first { $0.text("type") == "record" })
        let lsn = try #require(
            record.text("blocks.0.lsn").flatMap { UInt64($0.dropFirst(), radix: 16) }
        )
        let segment = dump.number("store.segmentBytes").map(UInt64.init) ?? 1
        let items = dump.list("items")
        let name = try #require(
            items.last { item in
                guard item.text("type") == "segment", let text = item.text("lsn"),
                    let base = UInt64(text.dropFirst(), radix: 16)
                else { return false }
                return base / segment == lsn / segment
            }?.text("file")
        )
        let file = try FileHandle(forUpdating: URL(filePath: tool.path("data/\(name)")))
        try file.seek(toOffset: lsn % segment + 60)
        let byte = try file.read(upToCount: 1)?.first ?? 0
        try file.seek(toOffset: lsn % segment + 60)
        try file.write(contentsOf: Data([byte ^ 0x40]))
        try file.close()
    }

    @Test func `a damaged page is named, and who shows it`() throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1))
        try Self.damage(tool)
        let outcome = try tool.run("check")
        #expect(outcome.code == 1)
        #expect(outcome.lines.contains { $0.contains("page 0 of object 1; shown by main") })
        #expect(outcome.messages.hasPrefix("oxbow: the store has "))
        let report = try tool.json("check", code: 1)
        #expect(report.flag("sound") == false)
        let problem = try #require(report.list("problems").first { $0.number("object") == 1 })
        #expect(problem.text("branches.0") == "main")
        #expect(problem.number("page") == 0)
        let read = try tool.run("page", "read", "main", "1", "0")
        #expect(read.code == 1)
        #expect(read.bytes == [])
        #expect(
            try Document(tool.run("page", "read", "main", "1", "0", "--json").bytes).text(
                "error.kind"
            ) == "damaged"
        )
    }

    @Test func `a dump tells every record`() throws {
        let tool = try Tool.withStore()
        try tool.lines("branch", "create", "a", "--from", "main", "--label", "k=v")
        try tool.lines("page", "write", "a", "1", "5", input: page(1, 3))
        let lines = try tool.lines("dump")
        #expect(lines[0].wholeMatch(of: /store [0-9a-f]{32}/) != nil)
        #expect(lines.contains { $0.contains("  create  branch=B1000  name=main") })
        #expect(
            lines.contains { $0.contains("name=a  parent=B1000") && $0.hasSuffix("by alice k=v") }
        )
        #expect(lines.contains { $0.contains("  commit  ") && $0.hasSuffix("  1:5-7") })
        #expect(lines.last?.hasPrefix("end of the log at L") == true)
        let all = try tool.json("dump")
        let records = all.list("items").filter { $0.text("type") == "record" }
        let commit = try #require(records.first { $0.text("kind") == "commit" })
        #expect(commit.list("blocks").compactMap { $0.number("page") } == [5, 6, 7])
        #expect(all.number("damaged") == 0)
        #expect(all.at("next") == nil)
        let change = try tool.json("dump", "--kind", "lifecycle")
        let changes = change.list("items").filter { $0.text("type") == "record" }
        #expect(changes.map { $0.text("content.change") } == ["create", "window", "create"])
        #expect(changes.last?.text("labels.k") == "v")
        let from = try #require(commit.text("lsn"))
        let one = try tool.run("dump", "--from", from, "-n", "1", "--blocks")
        #expect(one.lines.filter { $0.hasPrefix("    L") }.count == 3)
        let first = try tool.run("dump", "-n", "1")
        #expect(first.lines.filter { $0.hasPrefix("L") }.count == 1)
        #expect(first.messages.hasPrefix("more: oxbow dump --from L"))
    }

    @Test func `a dump, and a check, name a segment that is gone`() throws {
        let tool = try Tool()
        try tool.run("init", "data", "--page-size", "4096", "--segment-size", "64K")
        var noise = SystemRandomNumberGenerator()
        for _ in 0..<3 {
            let bytes = (0..<8 * Tool.pageSize).map { _ in
                UInt8.random(in: 0...255, using: &noise)
            }
            try tool.lines("page", "write", "main", "1", "0", input: bytes)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: tool.path("data"))
            .filter { $0.hasSuffix(".segment") }.sorted()
        try #require(names.count > 2)
        for name in names {
            let away = tool.path("away")
            try FileManager.default.moveItem(atPath: tool.path("data/\(name)"), toPath: away)
            for isEmpty in [false, true] {
                if isEmpty { try Data().write(to: URL(filePath: tool.path("data/\(name)"))) }
                let dump = try tool.run("dump")
                let what = "the segment is \(isEmpty ? "empty" : "missing")"
                #expect(dump.code == 1)
                #expect(dump.lines.contains { $0.contains(name) && $0.hasSuffix(what) })
                #expect(dump.messages == "oxbow: the log is damaged in 1 place\n")
                let check = try tool.run("check")
                let number = UInt64(name.prefix(16), radix: 16) ?? 0
                #expect(check.code == 1)
                let problem = check.lines.first { $0.contains("in \(name)") }
                #expect(problem?.contains("segment \(number)") == true, "\(check.text)")
            }
            try FileManager.default.removeItem(atPath: tool.path("data/\(name)"))
            try FileManager.default.moveItem(atPath: away, toPath: tool.path("data/\(name)"))
        }
        #expect(try tool.run("dump").code == 0)
    }

    @Test func `a dump of a damaged log goes on, and says where it is damaged`() throws {
        let tool = try Tool.withStore()
        try tool.lines("page", "write", "main", "1", "0", input: page(1))
        try tool.lines("branch", "create", "after", "--from", "main")
        try Self.damage(tool)
        let outcome = try tool.run("dump")
        #expect(outcome.code == 1)
        #expect(
            outcome.lines.contains { $0.hasPrefix("DAMAGED: ") && $0.contains("no sound record") }
        )
        #expect(outcome.lines.contains { $0.contains("name=after") })
        #expect(outcome.messages == "oxbow: the log is damaged in 1 place\n")
        #expect(try tool.json("dump", code: 1).number("damaged") == 1)
    }

    @Test func `what keeps a store from being opened is listed as other problems are`() throws {
        let tool = try Tool.withStore()
        var options = StoreOptions()
        options.upkeep = .manual
        let store = try Store.open(tool.path("data"), options)
        for number in 0...1 as ClosedRange<UInt64> {
            let bytes = page(7, 1)
            try store.branch("main").commit { edit in
                try edit.write(bytes, page: PageNumber(number), of: ObjectID(1))
            }
        }
        // As a process leaves it that ends now.
        let copy = try Tool()
        try FileManager.default.copyItem(atPath: tool.path("data"), toPath: copy.path("data"))
        try store.close()
        try Self.damage(copy)
        let outcome = try copy.run("check")
        #expect(outcome.code == 1)
        #expect(outcome.lines.count == 1)
        #expect(outcome.lines[0].hasSuffix(", page 0 of object 1; shown by main"))
        #expect(outcome.messages.hasPrefix("oxbow: the store does not open, "))
        let report = try copy.json("check", code: 1)
        #expect(report.flag("sound") == false && report.flag("cutShort") == true)
        #expect(report.number("problems.0.page") == 0)
        #expect(report.text("problems.0.branches.0") == "main")
        let other = try copy.run("stats", "--json")
        #expect(try Document(other.bytes).text("error.kind") == "damaged")
    }
}
