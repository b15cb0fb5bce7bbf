import Foundation
import Glibc

/// Runs benchmarks one after the other.
package enum Run {
    /// The benchmarks that the names ask for: all, where there are none.
    package static func select(_ all: [Benchmark], _ names: [String]) throws -> [Benchmark] {
        if names.isEmpty { return all }
        var chosen: Set<String> = []
        for name in names {
            let exact = all.filter { $0.names.contains(name) }
            let found = exact.isEmpty ? all.filter { $0.isGroup(name) } : exact
            if found.isEmpty {
                throw BenchmarkError("there is no benchmark \(name): --list prints them")
            }
            chosen.formUnion(found.flatMap(\.names))
        }
        return all.filter { !chosen.isDisjoint(with: $0.names) }
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
    /// Whether one of its names begins with the words of this one.
    fileprivate func isGroup(_ name: String) -> Bool {
        names.contains { $0.hasPrefix(name + "-") }
    }
}
