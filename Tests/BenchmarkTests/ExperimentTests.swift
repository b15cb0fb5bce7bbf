import Foundation
import OxbowBench
import Testing

/// Runs the experiment at its smallest size, so that it does not rot. What it measures there says
/// nothing.
@Suite struct ExperimentTests {
    /// Why it cannot be run here; nil where it can.
    static var obstacle: String? {
        if geteuid() != 0 { return "root is needed" }
        if access("/dev/fuse", R_OK | W_OK) != 0 { return "/dev/fuse is needed" }
        let postgres = (13...17).map { "/usr/lib/postgresql/\($0)/bin/postgres" }
        if !postgres.contains(where: { access($0, X_OK) == 0 }) { return "PostgreSQL is needed" }
        return nil
    }

    static func arguments(_ words: [String] = []) throws -> ExperimentArguments {
        let oxbow = URL(filePath: EngineBenchmarkTests.executable).deletingLastPathComponent()
            .appending(path: "oxbow").path
        return try ExperimentArguments(["--tiny", "--oxbow", oxbow] + words)
    }

    @Test func `every step is done, and nothing is left of it`() throws {
        if let obstacle = Self.obstacle {
            print("skipped: the experiment is not run, since \(obstacle)")
            return
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (report, failures) = try Experiment.report(Self.arguments(["--dir", folder])) { _ in }
        #expect(failures == [])
        #expect(report.results.map(\.name) == Experiment.names)
        let measured = Set(report.results.filter { $0.ours != nil }.map(\.name))
        #expect(measured.isSuperset(of: ["branch-cold", "recovery-bare", "tpcb-1", "connect"]))
        #expect(report.results.allSatisfy { $0.pass == nil }, "it was too small to judge")
        let steps = try #require(report.steps)
        #expect(steps.contains { $0.step == "recovery, first row" && $0.system == "oxbow" })
        #expect(steps.contains { $0.source != nil && $0.count == 0 })
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }

    @Test func `arguments are read, and what is none is refused`() throws {
        let read = try ExperimentArguments(
            ["--quick", "--only", "recovery", "--runs", "3", "--import", "d.dump", "--peers"]
        )
        #expect(read.scale == .quick && read.only == ["recovery"] && read.runs == 3)
        #expect(read.dump == "d.dump" && read.isPeersOnly && !read.isJSON)
        for wrong in [["--fast"], ["--dir"], ["--runs", "0"], ["--seed", "x"]] {
            #expect(throws: BenchmarkError.self) { try ExperimentArguments(wrong) }
        }
    }

    @Test func `no two results have one name`() {
        #expect(Set(Experiment.names).count == Experiment.names.count)
    }

    @Test func `steps stand in the table and in the JSON, published ones as such`() throws {
        let measured = Series("branch", "oxbow", [3, 1, 2])
        #expect(measured.p50 == 2 && measured.p99 == 3 && measured.count == 3)
        let steps = [
            measured, .published("branch", "others", 1_090, source: "their page"),
            .missing("branch", "btrfs", "no loop device"),
        ]
        var report = ReportTests.report([])
        report.steps = steps
        let table = report.table()
        #expect(table.contains("published, not measured here: their page"))
        #expect(table.contains("not measured: no loop device"))
        let data = Data(try report.json().utf8)
        #expect(try JSONDecoder().decode(Report.self, from: data).steps == steps)
    }

    @Test func `the figure has a bar for each system, and is well-formed`() throws {
        var report = ReportTests.report([])
        report.steps = [
            Series("branch, first row", "oxbow", [80, 90]),
            Series("branch, first row", "a < b & c", [900]),
            .published("branch, first row", "others", 1_090, source: "their page"),
        ]
        let svg = StepsFigure(report).svg
        #expect(Elements(svg).isBalanced)
        #expect(svg.contains("a &lt; b &amp; c") && svg.contains("url(#hatch)"))
        #expect(svg.contains("1.09 s"))
    }
}

/// Whether each element that begins ends: enough to notice a bracket that is missing.
private struct Elements {
    let isBalanced: Bool

    init(_ text: String) {
        var open: [Substring] = []
        var isSound = true
        for match in text.matches(of: /<(\/?)(\w+)[^<>]*?(\/?)>/) {
            if match.1 == "/" {
                isSound = isSound && open.popLast() == match.2
            } else if match.3 != "/" {
                open.append(match.2)
            }
        }
        isBalanced = isSound && open.isEmpty
    }
}
