import DemoCatalog
import Foundation
import Glibc

/// The servers.
extension Laboratory {
    var catalog: CatalogGenerator {
        CatalogGenerator(seed: arguments.seed, megabytes: catalogMegabytes)
    }

    private func place(_ name: String) throws -> String {
        let path = folder + "/" + name
        try tools.makeFolder(path)
        return path
    }

    /// Sockets have short names: on a disk of the system.
    func sockets(_ name: String) throws -> String {
        let path = "/tmp/oxbow-experiment-\(getpid())-\(name)"
        cleanup.add { try? FileManager.default.removeItem(atPath: path) }
        try tools.makeFolder(path)
        return path
    }

    private func server(_ data: String, _ name: String) throws -> StockPostgres {
        StockPostgres(tools, data: data, sockets: try sockets(name), cleanup)
    }

    /// Stock PostgreSQL with its defaults, with the catalog, on the disk as it is. It runs.
    func stock() throws -> StockPostgres {
        try once("stock") {
            let ready = try ready()
            let data = try place("stock") + "/data"
            try copy(ready.data, to: data)
            let server = try server(data, "stock")
            try server.start()
            return server
        }
    }

    /// The same, ready to be started.
    func ready() throws -> StockPostgres {
        try once("ready") {
            tell("making a catalog of \(catalogMegabytes) MB in PostgreSQL \(tools.version)")
            let data = try place("ready") + "/data"
            try tools.initialize(data)
            let server = try server(data, "ready")
            try server.start()
            try fill(server.login(), catalog: catalog)
            server.stop()
            return server
        }
    }

    func copy(_ data: String, to copy: String) throws {
        try Tool.run(["cp", "-a", data, copy])
        try Tool.run(["sync", "-f", copy])
    }

    /// pgbench's tables in stock PostgreSQL.
    func stockBench() throws -> Login {
        let server = try stock()
        return try once("stock bench") {
            try fillBench(server.login())
            return server.login(Self.bench)
        }
    }

    // MARK: btrfs

    /// The source on btrfs, which runs.
    struct Btrfs {
        let disk: BtrfsDisk
        let source: StockPostgres
        static let name = "source"
    }

    func btrfs() throws -> Btrfs {
        // The refusal is remembered, too.
        let made = try once("btrfs") { Result { try makeBtrfs() } }
        return try made.get()
    }

    private func makeBtrfs() throws -> Btrfs {
        let ready = try ready()
        let disk = try BtrfsDisk(folder, megabytes: catalogMegabytes * 12 + 4_000, cleanup)
        let volume = try disk.makeSubvolume(Btrfs.name)
        try tools.own(volume)
        let data = volume + "/data"
        try copy(ready.data, to: data)
        let source = try server(data, "btrfs")
        try source.start()
        return Btrfs(disk: disk, source: source)
    }

    func btrfsBench() throws -> Login {
        let btrfs = try btrfs()
        return try once("btrfs bench") {
            try fillBench(btrfs.source.login())
            return btrfs.source.login(Self.bench)
        }
    }

    /// A server on a copy of btrfs, not started.
    func btrfsCopy(_ path: String) throws -> StockPostgres {
        unlink(path + "/data/postmaster.pid")
        return StockPostgres(
            tools,
            data: path + "/data",
            sockets: try once("btrfs sockets") { try sockets("copy") },
            cleanup
        )
    }

    // MARK: Ours

    /// With as much memory to a compute as PostgreSQL's defaults give: 128 MB of shared buffers.
    static let serverWords = ["--computes", "8", "--memory", "4096M", "--idle", "1h"]

    /// Ours with the catalog in `main`. It runs.
    func ours() throws -> OxbowServer {
        try once("ours") { try makeOurs("ours", catalog) }
    }

    func makeOurs(_ name: String, _ catalog: CatalogGenerator) throws -> OxbowServer {
        tell("making a catalog of \(catalog.megabytes) MB in main")
        let server = OxbowServer(
            try oxbow(),
            data: try place(name) + "/store",
            Self.serverWords,
            cleanup
        )
        try server.start()
        try fill(server.login("postgres"), catalog: catalog)
        return server
    }

    private func oxbow() throws -> String {
        let beside = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .map { URL(filePath: $0).deletingLastPathComponent().appending(path: "oxbow").path }
        guard let path = arguments.oxbow ?? beside, access(path, X_OK) == 0 else {
            throw BenchmarkError(
                "there is no oxbow beside oxbow-bench: swift build -c release --product oxbow"
            )
        }
        return path
    }

    func ourBench() throws -> OxbowServer {
        let server = try ours()
        return try once("our bench") {
            try fillBench(server.login("postgres"))
            return server
        }
    }

    /// A session with the front's console.
    func console() throws -> Session {
        let server = try ours()
        return try once("console") { try server.console() }
    }
}
