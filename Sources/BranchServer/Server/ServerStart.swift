import DiskIO
import FuseMount
import Glibc
import Oxbow
import PostgresWire
import Primitives
import Volume

/// The beginning of a server, step by step. What was begun is ended where a later step fails.
struct ServerStart {
    let folder: ServerFolder
    let store: Store
    /// Nil where computes get copies.
    let mount: Mount?
    let branches: ServedBranches
    let front: Front
    let port: UInt16

    static let passwordName = "password"

    init(_ options: ServerOptions) throws {
        folder = try ServerFolder(making: options.dataPath)
        store = try Self.open(folder, options)
        do {
            switch options.files {
            case .mount:
                try folder.makeMount()
                mount = try Mount(store, at: folder.tree(in: folder.mount))
            case .copies:
                mount = nil
                try folder.makeCopies()
            }
        } catch {
            try? store.close()
            folder.removeRun()
            throw error
        }
        var begun: Computes?
        do {
            let computes = try Computes(Self.computeOptions(options, folder))
            begun = computes
            branches = try ServedBranches(store, mount, computes, folder, options)
            try branches.reap()
            if options.makesCluster, mount != nil { try Self.makeCluster(branches) }
            try branches.learnMissingRoles()
            front = try Self.makeFront(branches, folder, options)
            do {
                port = try front.listen(
                    host: options.host == "localhost" ? "127.0.0.1" : options.host,
                    port: options.port
                )
            } catch {
                front.stop(graceMilliseconds: 0)
                throw error
            }
        } catch {
            begun?.end()
            mount?.end()
            try? store.close()
            folder.removeRun()
            throw error
        }
    }

    private static func open(
        _ folder: ServerFolder,
        _ options: ServerOptions
    ) throws(OxbowError) -> Store {
        var store = StoreOptions()
        store.cacheBytes = options.cacheBytes
        return try Store.open(folder.dataPath, store)
    }

    private static func computeOptions(
        _ options: ServerOptions,
        _ folder: ServerFolder
    ) -> ComputeOptions {
        let path = options.files == .mount ? folder.mount : folder.copies
        var computes = ComputeOptions(
            mountPath: path,
            runPath: folder.computes,
            logPath: folder.computeLogs
        )
        computes.treePath = folder.tree(in: path)
        computes.user = options.user
        computes.limit = options.computeLimit
        computes.memoryMegabytes = options.memoryMegabytes
        computes.idleSeconds = options.idleSeconds
        computes.startSeconds = options.startSeconds
        computes.waitSeconds = options.waitSeconds
        return computes
    }

    /// A cluster in `main` where it holds none, with a password that nobody knows but its file.
    private static func makeCluster(_ branches: ServedBranches) throws {
        let name = "main"
        guard let main = try? branches.store.branch(name), try !main.hasCluster() else { return }
        let password = try branches.folder.kept(passwordName) { ServerFolder.secret() }
        let files = try BranchFiles.open(main)
        try branches.computes.initialize(
            ComputeTarget(key: main.computeKey, files: .branch(name)),
            in: files,
            password: password,
            changed: { branches.mount?.forget($0, in: $1, of: files) }
        )
    }

    private static func makeFront(
        _ branches: ServedBranches,
        _ folder: ServerFolder,
        _ options: ServerOptions
    ) throws -> Front {
        try Front(
            Front.Configuration(
                directory: StoreDirectory(branches: branches),
                tls: tls(folder, options),
                mockSecret: branches.secret,
                log: { branches.log.note($0) }
            )
        )
    }

    private static func tls(
        _ folder: ServerFolder,
        _ options: ServerOptions
    ) throws -> TLSContext {
        if let given = options.certificate {
            return try TLSContext(certificatePath: given.path, keyPath: given.keyPath)
        }
        let (path, keyPath) = (folder.path + "/server.crt", folder.path + "/server.key")
        var names = ["localhost", "127.0.0.1", "::1"]
        if !names.contains(options.host) { names.append(options.host) }
        try TLSCertificate.make(
            certificatePath: path,
            keyPath: keyPath,
            names: names,
            serial: SystemEntropy.draw() >> 1
        )
        return try TLSContext(certificatePath: path, keyPath: keyPath)
    }
}

extension Branch {
    /// Whether its files have a PostgreSQL cluster in the place where computes look for one.
    func hasCluster() throws -> Bool { try view().hasCluster() }
}

extension View {
    /// Whether there was a PostgreSQL cluster in the place where computes look for one.
    func hasCluster() throws -> Bool {
        guard try PastFiles.areHeld(by: self) else { return false }
        do throws(VolumeError) {
            _ = try PastFiles(self).resolve("/\(ComputePlace.dataFolder)/PG_VERSION")
            return true
        } catch {
            guard error.kind == .notFound else { throw error }
            return false
        }
    }
}
