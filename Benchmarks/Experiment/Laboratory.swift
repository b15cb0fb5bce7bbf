import DemoCatalog
import Foundation
import Glibc

/// What the experiment is done with: PostgreSQL on ext4 and btrfs, and ours, on one disk with one
/// catalog. Each is made when it is first asked for.
// Safe to share: used by the thread that runs the experiment alone.
package final class Laboratory: @unchecked Sendable {
    let context: Context
    let arguments: ExperimentArguments
    let tools: PostgresTools
    let cleanup: Cleanup
    /// On the disk that is measured; gone afterwards.
    let folder: String
    private let tellLine: (String) -> Void
    private(set) var series: [Series] = []
    /// What went wrong, a line each.
    private(set) var failures: [String] = []
    private var made: [String: Any] = [:]

    static let database = "catalog"
    static let bench = "bench"
    static let benchScale = 10

    package init(
        _ arguments: ExperimentArguments,
        _ cleanup: Cleanup,
        tell: @escaping (String) -> Void
    ) throws {
        self.arguments = arguments
        self.cleanup = cleanup
        tellLine = tell
        tools = try PostgresTools(folder: arguments.postgres, user: arguments.user)
        let folder = arguments.folder + "/oxbow-experiment-\(getpid())"
        self.folder = folder
        context = Context(
            scale: arguments.scale,
            seed: arguments.seed,
            folder: arguments.folder,
            executable: "/proc/self/exe"
        )
        cleanup.add { try? FileManager.default.removeItem(atPath: folder) }
        try tools.makeFolder(folder)
    }

    func tell(_ line: String) { tellLine(line) }

    func fail(_ names: [String], _ error: any Error) {
        failures.append("\(names.joined(separator: ", ")): \(error)")
        tell("FAILED: \(failures.last ?? "")")
    }

    func pick<Value>(_ full: Value, quick: Value, tiny: Value) -> Value {
        context.pick(full, quick: quick, tiny: tiny)
    }

    /// How often a step is done.
    func runs(_ full: Int, quick: Int, tiny: Int = 1) -> Int {
        arguments.runs ?? pick(full, quick: quick, tiny: tiny)
    }

    /// How long a run of pgbench is.
    func seconds(_ full: Int, quick: Int) -> Int {
        arguments.seconds ?? pick(full, quick: quick, tiny: 1)
    }

    var catalogMegabytes: Int { pick(CatalogGenerator.publishedMegabytes, quick: 63, tiny: 9) }

    /// What the first row is: how many entities there are.
    var question: String { "SELECT count(*) FROM \(arguments.table)" }

    // MARK: What was measured

    func record(_ new: Series) { series.append(new) }

    func record(_ step: String, _ system: String, seconds: [Double]) {
        record(Series(step, system, seconds.map { $0 * 1_000 }))
    }

    /// Keeps what was made for the next who asks.
    func once<Value>(_ name: String, _ make: () throws -> Value) throws -> Value {
        if let known = made[name] as? Value { return known }
        let value = try make()
        made[name] = value
        return value
    }

    func forget(_ name: String) { made[name] = nil }

    // MARK: Filling

    /// Makes the database of the experiment.
    func fill(_ login: Login, catalog: CatalogGenerator) throws {
        let server = try Session(login)
        try server.query("CREATE DATABASE \(Self.database)")
        server.end()
        try fillDatabase(login.database(Self.database), catalog)
        let session = try Session(login.database(Self.database))
        defer { session.end() }
        if arguments.dump != nil { try session.query("VACUUM (ANALYZE)") }
        try session.query("CHECKPOINT")
    }

    private func fillDatabase(_ login: Login, _ catalog: CatalogGenerator) throws {
        guard let dump = arguments.dump else {
            let session = try Session(login)
            defer { session.end() }
            return try session.load(catalog)
        }
        let isPlain =
            !FileManager.default.fileExists(atPath: dump + "/toc.dat")
            && (FileHandle(forReadingAtPath: dump)?.readData(ofLength: 5) != Data("PGDMP".utf8))
        if isPlain {
            try tools.client("psql", login, ["-q", "-v", "ON_ERROR_STOP=1", "-f", dump])
        } else {
            try tools.client("pg_restore", login, ["--no-owner", "-d", login.database, dump])
        }
    }

    /// Makes pgbench's tables in a database of their own.
    func fillBench(_ login: Login, scale: Int? = nil, name: String = bench) throws {
        let server = try Session(login)
        try server.query("CREATE DATABASE \(name)")
        server.end()
        let scale = scale ?? pick(Self.benchScale, quick: Self.benchScale, tiny: 1)
        let bench = login.database(name)
        try tools.client("pgbench", bench, ["-i", "-q", "-s", "\(scale)"])
        let session = try Session(bench)
        defer { session.end() }
        try session.query("CHECKPOINT")
    }
}

extension Login {
    /// Another database in the same place: on the same branch, where the name says one.
    func database(_ name: String) -> Login {
        let rest = database.firstIndex(of: "@").map { String(database[$0...]) } ?? ""
        return on(name + rest)
    }
}
