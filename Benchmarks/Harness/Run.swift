import Foundation
import Glibc

/// Runs benchmarks one after the other.
package enum Run {
    /// The benchmarks that the names ask for: all, where there are none.
    package static func select(_ all: [Benchmark], _ names: [String]) throws -> [Benchmark] {
        if names.isEmpty { return all }
        for name in names where !all.contains(where: { $0.matches(name) }) {
            throw BenchmarkError("there is no benchmark \(name): --list prints them")
        }
        return all.filter { benchmark in names.contains { benchmark.matches($0) } }
    }

    package static func report(
        _ benchmarks: [Benchmark],
        _ context: Context,
        tell: (String) -> Void
    ) throws -> Report {
        let start = Measure.now()
        var results: [Outcome] = []
        for benchmark in benchmarks {
            let began = Measure.now()
            let outcomes = try benchmark.run(context)
            guard outcomes.map(\.name) == benchmark.names else {
                throw BenchmarkError("\(benchmark.names) gave \(outcomes.map(\.name))")
            }
            results += outcomes
            let seconds = Double(Measure.now() - began) / 1e9
            tell("\(benchmark.names.joined(separator: ", ")): \(Figure.short(seconds)) s")
        }
        tell("all: \(Figure.short(Double(Measure.now() - start) / 1e9)) s")
        return Report(
            machine: Machine.describe(context.folder),
            versions: Machine.versions(),
            seed: context.seed,
            results: results
        )
    }
}

extension Benchmark {
    fileprivate func matches(_ name: String) -> Bool {
        names.contains { $0 == name || $0.hasPrefix(name + "-") }
    }
}
