#if Server
import BranchServer
import DemoCatalog
import Primitives

/// The data of `oxbow serve --demo`: the catalog of the experiment, in a database of its own.
enum DemoData {
    static let database = "catalog"
    /// What it is called until it is whole, so that one that was cut short is made anew.
    private static let unfinished = "catalog_unfinished"
    private static let seed: UInt64 = 1

    /// Makes the database on a branch where it is not there.
    static func load(
        _ address: BranchAddress,
        _ output: Output,
        _ check: () throws -> Void
    ) throws {
        let tool = PostgresTool(address)
        if try tool.has(database: database) { return }
        let generator = CatalogGenerator(seed: seed)
        output.message(
            "loading the demo's catalog of \(generator.megabytes) MB into the database "
                + "\(database): a few seconds"
        )
        if try tool.has(database: unfinished) { try tool.run("DROP DATABASE \(unfinished)") }
        try tool.run("CREATE DATABASE \(unfinished)")
        let progress = Progress("loading", output)
        defer { progress.finish() }
        try tool.on(database: unfinished).feed(generator.script) { done in
            try check()
            progress.update(Text.bytes(done))
        }
        try tool.run("ALTER DATABASE \(unfinished) RENAME TO \(database)")
        try tool.settle()
    }
}
#endif
