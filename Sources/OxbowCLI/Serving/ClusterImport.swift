#if Server
import BranchServer
import Glibc
import Oxbow
import Volume

/// The folder of a cluster that no server runs on, copied into a branch that has none.
struct ClusterImport {
    let call: Invocation
    let source: LocalPath
    let branch: String?

    /// What it is called until it is whole.
    private static let unfinished = Array("/\(ComputePlace.unfinishedFolder)".utf8)

    func run() throws {
        let version = try check()
        let name = branch ?? DefaultBranch.name(call) ?? "main"
        let report = TreeReport()
        try call.withStore { store in
            let branch = try store.find(Values.branch(name))
            let release = try call.environment.host?.hold(branch.info().name)
            do { try copy(into: branch, report) } catch {
                release?()
                throw error
            }
            release?()
            if let server = call.environment.host?.server {
                let name = try branch.info().name
                try Failure.telling { () throws(ServerError) in try server.learnRoles(of: name) }
            }
            try tell(branch.info().name, version, report)
        }
    }

    /// What cannot be copied so that it works, or should not be.
    private func check() throws -> Int {
        func inside(_ name: String) -> LocalPath { source.appending(Array(name.utf8)) }
        let file = try LocalFile.reading(inside("PG_VERSION"))
        let text = String(decoding: try Input(ByteStream(file.descriptor)).read(16), as: UTF8.self)
        guard let version = Int(text.prefix { $0.isNumber }) else {
            throw Failure("file", "\(inside("PG_VERSION").shown) says no version")
        }
        let installed = PostgresInstallation.all().map(\.version)
        guard installed.contains(version) else {
            throw Failure(
                "unavailable",
                "\(source.shown) is of PostgreSQL \(version), which is not installed: `apt-get "
                    + "install postgresql-\(version)`"
            )
        }
        guard try inside("postmaster.pid").target() == nil else {
            throw Failure(
                "busy",
                "a server runs on \(source.shown), or did not end in good order (postmaster.pid is "
                    + "there): stop it first"
            )
        }
        guard try inside("pg_tblspc").names().isEmpty else {
            throw Failure(
                "notSupported",
                "\(source.shown) has tablespaces in other folders: move their tables to pg_default "
                    + "first, or import its databases one by one from its URL"
            )
        }
        for name in ["pg_wal", "base", "global", "pg_xact"] {
            guard try inside(name).status().isFolder else {
                throw Failure(
                    "notSupported",
                    "\(inside(name).shown) is no folder, but leads elsewhere: move it back first"
                )
            }
        }
        return version
    }

    private func copy(into branch: Branch, _ report: TreeReport) throws {
        let files: BranchFiles
        do throws(VolumeError) { files = try BranchFiles.open(branch) } catch {
            throw error.kind == .invalid ? Failure("conflict", error.message) : error
        }
        if try files.find(ComputeGuard.dataFolder, followingLast: false) != nil {
            throw Failure(
                "conflict",
                "\(try branch.info().name) has a cluster already: import into another branch of a "
                    + "store that has none, or one database from a URL or a dump"
            )
        }
        if try files.find(Self.unfinished) != nil {
            throw Failure(
                "conflict",
                "an import into this branch, or the making of a cluster, ended early: `oxbow fs rm "
                    + "-r \(try branch.info().name):/.pgdata-unfinished` takes away what it left"
            )
        }
        let owner = try Self.owner(call)
        let (root, name) = try files.resolveParent(Self.unfinished)
        let folder = try files.makeFolder(name, in: root, Ownership(permissions: 0o700))
        let progress = Progress("importing", call.output)
        defer { progress.finish() }
        let importer = Importer(
            files: files,
            copy: ContentCopy(unit: branch.store.pageSize) { count in
                try call.output.expectReader()
                report.bytesRead += UInt64(count)
                progress.update(report.progress)
            },
            merges: false,
            storeFolder: try call.storePath.target()?.id,
            owner: owner,
            note: { call.output.message("note: \($0)") },
            changed: { _, _ in }
        )
        try importer.run(source, into: folder, report)
        guard report.failed.isEmpty else {
            throw Failure("file", "not all of \(source.shown) could be read: nothing counts of it")
        }
        // The folder that it comes from may be more open than PostgreSQL takes.
        var closed = AttributeChange()
        closed.permissions = 0o700
        try files.change(folder, closed)
        let (_, last) = try files.resolveParent(ComputeGuard.dataFolder)
        try files.rename(name, in: root, to: last, in: root)
        call.environment.host?.forget(files, root, last)
        try files.sync()
    }

    /// Who PostgreSQL runs as.
    private static func owner(_ call: Invocation) throws -> (user: UInt32, group: UInt32) {
        guard geteuid() == 0 else { return (geteuid(), getegid()) }
        let name = call.environment.host?.server?.options.user ?? "postgres"
        guard let entry = unsafe getpwnam(name) else {
            throw Failure("unavailable", "there is no user \(name) to run PostgreSQL as")
        }
        return unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }

    private func tell(_ branch: String, _ version: Int, _ report: TreeReport) throws {
        if call.wantsJSON {
            return try call.output.json([
                "imported": [
                    "branch": .string(branch), "database": nil, "tables": nil,
                    "bytes": JSON(report.bytes),
                ]
            ])
        }
        try call.output.line(
            "imported a cluster of PostgreSQL \(version), \(report.counts), into \(branch); its "
                + "roles log in with the passwords that they have, and without one not at all"
        )
    }
}
#endif
