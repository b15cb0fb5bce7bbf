import DemoCatalog
import Foundation
import Glibc

/// `oxbow-bench`: how fast the engine is, held against what the machine, or its peers, can do.
@main
struct Command {
    static func main() {
        do { exit(try run(Array(CommandLine.arguments.dropFirst()))) } catch {
            FileHandle.standardError.write(Data("oxbow-bench: \(error)\n".utf8))
            exit(2)
        }
    }

    private static func run(_ words: [String]) throws -> Int32 {
        switch words.first {
        case "engine": return try engine(Arguments(Array(words.dropFirst())))
        case "experiment":
            return try experiment(ExperimentArguments(Array(words.dropFirst())))
        case "catalog": return try catalog(Array(words.dropFirst()))
        case "child": return try ChildWork.run(Array(words.dropFirst()))
        default:
            throw BenchmarkError("\(Arguments.usage)\n\n\(ExperimentArguments.usage)")
        }
    }

    /// Prints the experiment's catalog as a script for psql.
    private static func catalog(_ words: [String]) throws -> Int32 {
        guard words.count <= 2, let megabytes = Int(words.first ?? "63"), megabytes > 0,
            megabytes <= 1 << 20, let seed = UInt64(words.count > 1 ? words[1] : "1")
        else { throw BenchmarkError("usage: oxbow-bench catalog [MEGABYTES] [SEED]") }
        for piece in CatalogGenerator(seed: seed, megabytes: megabytes).script {
            try FileHandle.standardOutput.write(contentsOf: piece)
        }
        return 0
    }

    private static func engine(_ arguments: Arguments) throws -> Int32 {
        let benchmarks = try Run.select(EngineBenchmarks.all, arguments.only)
        if arguments.isList {
            print(benchmarks.flatMap(\.names).joined(separator: "\n"))
            return 0
        }
        let context = Context(
            scale: arguments.scale,
            seed: arguments.seed,
            folder: arguments.folder,
            executable: "/proc/self/exe"
        )
        let report = try Run.report(benchmarks, context) { line in
            tell(line)
        }
        print(arguments.isJSON ? try report.json() : report.table())
        return try compare(report, arguments.baseline)
    }

    private static func tell(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    private static func experiment(_ arguments: ExperimentArguments) throws -> Int32 {
        if arguments.isList {
            print(Experiment.names.joined(separator: "\n"))
            return 0
        }
        let cleanup = Cleanup()
        cleanup.watchSignals()
        let (report, failures) = try Experiment.report(arguments, cleanup, tell: tell)
        if let path = arguments.figure {
            try StepsFigure(report).svg.write(toFile: path, atomically: true, encoding: .utf8)
        }
        print(arguments.isJSON ? try report.json() : report.table())
        let status = try compare(report, arguments.baseline)
        failures.forEach { tell("failed: \($0)") }
        return failures.isEmpty ? status : 2
    }

    /// Tells what changed since an older report: 1 where what passed fails.
    private static func compare(_ report: Report, _ baseline: String?) throws -> Int32 {
        guard let path = baseline else { return 0 }
        let (lines, isWorse) = report.compared(with: try Report.load(path))
        let text = lines.joined(separator: "\n") + "\n"
        FileHandle.standardError.write(Data(text.utf8))
        return isWorse ? 1 : 0
    }
}
