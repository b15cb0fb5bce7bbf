import Foundation
import OxbowBench
import Testing

@Suite struct ReportTests {
    static func outcome(_ name: String, _ ours: Double, must: Double, aim: Double) -> Outcome {
        Outcome(
            name,
            ours: ours,
            reference: 100,
            "a bound",
            unit: "µs",
            must: must,
            aim: aim,
            isJudged: true
        )
    }

    static func report(_ results: [Outcome]) -> Report {
        Report(machine: ["cores": "2"], versions: ["lz4": "1"], seed: 7, results: results)
    }

    @Test func `where the aim is below the bound, less is better`() {
        #expect(Self.outcome("a", 120, must: 1.3, aim: 1).pass == true)
        #expect(Self.outcome("a", 140, must: 1.3, aim: 1).pass == false)
        #expect(Self.outcome("a", 90, must: 0.85, aim: 0.95).pass == true)
        #expect(Self.outcome("a", 80, must: 0.85, aim: 0.95).pass == false)
    }

    @Test func `the JSON has every key, also of what was not measured`() throws {
        let missing = Outcome.notMeasured("peers", ours: 3, unit: "reads/s", must: 1, aim: 1.3)
        let text = try Self.report([missing, Self.outcome("a", 1, must: 2, aim: 1)]).json()
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        let whole = try #require(object as? [String: Any])
        #expect(Set(whole.keys) == ["machine", "versions", "seed", "results"])
        let results = try #require(whole["results"] as? [[String: Any]])
        let keys: Set = [
            "name", "ours", "reference", "referenceName", "unit", "ratio", "must", "aim", "pass",
        ]
        for result in results { #expect(Set(result.keys) == keys) }
        #expect(results[0]["pass"] is NSNull)
        #expect(results[1]["pass"] as? Bool == true)
        #expect(results[1]["ratio"] as? Double == 0.01)
    }

    @Test func `a report reads what it wrote`() throws {
        let report = Self.report([Self.outcome("a", 1, must: 2, aim: 1)])
        let data = Data(try report.json().utf8)
        #expect(try JSONDecoder().decode(Report.self, from: data) == report)
    }

    @Test func `only what passed and fails now makes a run worse`() {
        let good = Self.report([Self.outcome("a", 90, must: 1, aim: 0.5)])
        let bad = Self.report([Self.outcome("a", 110, must: 1, aim: 0.5)])
        #expect(bad.compared(with: good).isWorse)
        #expect(!good.compared(with: bad).isWorse)
        #expect(!bad.compared(with: bad).isWorse)
        #expect(!bad.compared(with: Self.report([])).isWorse)
        #expect(good.compared(with: bad).lines.count == 1)
    }

    @Test func `the table has a line for each result`() {
        let table = Self.report([
            Self.outcome("first", 90, must: 1, aim: 0.5),
            Self.outcome("second", 1, must: 1, aim: 1),
        ]).table()
        let lines = table.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines[2].hasPrefix("first") && lines[2].hasSuffix("pass"))
        #expect(lines[3].hasSuffix("aim"))
    }

    @Test func `arguments are read, and what is none is refused`() throws {
        let words = ["--quick", "--only", "fork", "--seed", "9", "--json", "--dir", "d"]
        let arguments = try Arguments(words)
        #expect(arguments.scale == .quick && arguments.only == ["fork"] && arguments.seed == 9)
        #expect(arguments.isJSON && arguments.folder == "d")
        for wrong in [["--fast"], ["--only"], ["--seed", "x"]] {
            #expect(throws: BenchmarkError.self) { try Arguments(wrong) }
        }
        #expect(throws: BenchmarkError.self) { try Run.select(EngineBenchmarks.all, ["nothing"]) }
        #expect(try Run.select(EngineBenchmarks.all, ["commit-16"]).count == 2)
    }
}
