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
        case "catalog": return try catalog(Array(words.dropFirst()))
        case "child": return try ChildWork.run(Array(words.dropFirst()))
        default: throw BenchmarkError(Arguments.usage)
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
            FileHandle.standardError.write(Data((line + "\n").utf8))
        }
        print(arguments.isJSON ? try report.json() : report.table())
        guard let path = arguments.baseline else { return 0 }
        let (lines, isWorse) = report.compared(with: try Report.load(path))
        let text = lines.joined(separator: "\n") + "\n"
        FileHandle.standardError.write(Data(text.utf8))
        return isWorse ? 1 : 0
    }
}
