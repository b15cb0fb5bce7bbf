import Foundation
import OxbowBench
import Testing

/// Runs every benchmark at a tiny size, so that none rots. What it measures there says nothing.
@Suite struct EngineBenchmarkTests {
    static let context = Context(
        scale: .tiny,
        seed: 7,
        folder: FileManager.default.temporaryDirectory.path,
        executable: executable
    )

    /// The command, which the build puts beside the tests.
    static var executable: String {
        let here = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let beside = Bundle.allBundles.map(\.bundlePath) + CommandLine.arguments + [here ?? ""]
        return beside.map { URL(filePath: $0).deletingLastPathComponent() }
            .map { $0.appending(path: "oxbow-bench").path }
            .first(where: FileManager.default.isExecutableFile) ?? "oxbow-bench"
    }

    @Test(arguments: EngineBenchmarks.all.indices)
    func `a benchmark runs and gives what it is named for`(index: Int) throws {
        let benchmark = EngineBenchmarks.all[index]
        let outcomes = try benchmark.run(Self.context)
        #expect(outcomes.map(\.name) == benchmark.names)
        for outcome in outcomes {
            #expect(outcome.pass == nil, "\(outcome.name) was too small to judge")
            #expect((outcome.ours ?? 0).isFinite)
        }
    }

    @Test func `no two results have one name`() {
        let names = EngineBenchmarks.all.flatMap(\.names)
        #expect(Set(names).count == names.count)
    }
}
