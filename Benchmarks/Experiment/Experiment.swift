import Foundation

/// The published experiment, through the front with an ordinary client, beside what people have
/// today on the same machine and data.
package enum Experiment {
    /// The results in the order in which they are measured.
    static func benchmarks(_ lab: Laboratory?) -> [Benchmark] {
        func part(
            _ names: [String],
            _ run: @escaping @Sendable (Laboratory) throws -> [Outcome]
        ) -> Benchmark {
            Benchmark(names) { _ in
                guard let lab else { throw BenchmarkError("there is no laboratory") }
                do { return try run(lab) } catch {
                    // The others go on: a run takes its time.
                    lab.fail(names, error)
                    return names.map { failed($0, error) }
                }
            }
        }
        return [
            part(BranchPart.names) { lab in
                let outcomes = try BranchPart.run(lab)
                try ChangePart.run(lab)
                return outcomes
            },
            part(RecoveryPart.names, RecoveryPart.run),
            part(LoadedPart.names, LoadedPart.run),
            part(TransactionPart.names, TransactionPart.run),
            part(ReadPart.names, ReadPart.run),
            part(FrontPart.names, FrontPart.run),
            part(SizePart.names, SizePart.run),
        ]
    }

    private static func failed(_ name: String, _ error: any Error) -> Outcome {
        let line = "\(error)".split(separator: "\n").first.map(String.init) ?? ""
        return Outcome(
            name,
            ours: nil,
            reference: nil,
            "failed: \(line.prefix(60))",
            unit: "",
            must: 0,
            aim: 0,
            isJudged: false
        )
    }

    package static var names: [String] { benchmarks(nil).flatMap(\.names) }

    /// Runs it; nothing of it is left afterwards. Also what went wrong.
    package static func report(
        _ arguments: ExperimentArguments,
        _ cleanup: Cleanup = Cleanup(),
        tell: @escaping (String) -> Void
    ) throws -> (report: Report, failures: [String]) {
        defer { cleanup.end() }
        let lab = try Laboratory(arguments, cleanup, tell: tell)
        let chosen = try Run.select(benchmarks(lab), arguments.only)
        var report = try Run.report(chosen, lab.context, tell: tell)
        report.versions["postgresql"] = lab.tools.version
        report.machine["catalog"] =
            arguments.dump.map { _ in "a dump" } ?? "\(lab.catalogMegabytes) MB"
        report.steps = lab.series
        return (report, lab.failures)
    }
}
