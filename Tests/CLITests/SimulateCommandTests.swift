import OxbowCLI
import Testing

@Suite struct SimulateCommandTests {
    @Test func `a simulation says what it did, and the same each time`() throws {
        let tool = try Tool()
        let first = try tool.run("simulate", "--seeds", "1..2")
        #expect(first.lines[0].hasPrefix("2 seeds, "))
        let again = try tool.run("simulate", "--seeds", "1..2")
        #expect(again.text == first.text)
        #expect(again.code == first.code)
        let report = try tool.json("simulate", "--seeds", "1..2", code: first.code)
        #expect(report.number("seeds") == 2)
        #expect(report.flag("passed") == (first.code == 0))
        #expect(report.list("failures").isEmpty == (first.code == 0))
    }

    @Test func `a short run says that its table was not judged`() throws {
        let tool = try Tool()
        let report = try tool.json("simulate", "--seeds", "1..2")
        #expect(report.flag("passed") == true)
        #expect(report.flag("judged") == false)
        #expect(!report.list("shortcomings").isEmpty)
        let last = try tool.lines("simulate", "--seeds", "1..2").last
        #expect(last?.hasPrefix("the table was not judged: ") == true)
    }

    @Test func `a replay tells all that a seed did, and how it ended`() throws {
        let tool = try Tool()
        let outcome = try tool.run("simulate", "--replay", "1")
        #expect(outcome.lines.count > 10)
        #expect((outcome.lines.last == "passed") == (outcome.code == 0))
        let journal = try tool.json("simulate", "--replay", "1", code: outcome.code)
        #expect(journal.list("journal").count == outcome.lines.count)
    }

    @Test(arguments: [("7", 7...7), ("1..9", 1...9), ("0..0", 0...0)])
    func `seeds are read`(text: String, seeds: ClosedRange<UInt64>) throws {
        #expect(try Values.seeds(text) == seeds)
    }

    @Test(arguments: [
        "", "..", "1..", "..2", "2..1", "1...3", "1-3", "a..b", "1..18446744073709551615",
    ])
    func `other texts are no seeds`(text: String) {
        #expect(throws: Misuse.self) { try Values.seeds(text) }
    }
}
