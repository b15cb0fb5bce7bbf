import Foundation
import Glibc
package import Primitives

/// Benchmarks that share what they set up, and give one outcome for each name.
package struct Benchmark: Sendable {
    package let names: [String]
    package let run: @Sendable (Context) throws -> [Outcome]

    package init(_ names: String..., run: @escaping @Sendable (Context) throws -> [Outcome]) {
        self.init(names, run)
    }

    package init(_ names: [String], _ run: @escaping @Sendable (Context) throws -> [Outcome]) {
        self.names = names
        self.run = run
    }
}

/// What a benchmark is given.
package struct Context: Sendable {
    package let scale: Scale
    package let seed: UInt64
    /// Where data goes: the disk that is measured.
    package let folder: String
    /// This program, for what needs a process of its own.
    package let executable: String

    package init(scale: Scale, seed: UInt64, folder: String, executable: String) {
        self.scale = scale
        self.seed = seed
        self.folder = folder
        self.executable = executable
    }

    package var isFull: Bool { scale == .full }

    package func pick<Value>(_ full: Value, quick: Value, tiny: Value) -> Value {
        scale.pick(full, quick: quick, tiny: tiny)
    }

    /// A generator of its own for each purpose.
    package func random(_ purpose: UInt64) -> SeededRandom {
        SeededRandom(seed: seed &* 1_000_003 &+ purpose)
    }

    /// Runs with an empty folder on the disk, which is gone afterwards.
    package func withFolder<Result>(
        _ name: String,
        _ body: (String) throws -> Result
    ) throws -> Result {
        let path = folder + "/oxbow-bench-\(getpid())-\(name)"
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }
}

/// What stops a run.
package struct BenchmarkError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
