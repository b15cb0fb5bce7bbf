import Oxbow
import Volume

/// `oxbow import`.
enum ImportCommand {
    private static let folder = Positional(
        "FOLDER",
        isOptional: true,
        help: "The folder of this machine to copy",
        parse: Values.localPath
    )
    private static let target = Positional(
        "BRANCH[:/PATH]",
        isOptional: true,
        help: "Where to: a branch, and a folder in it that is empty or is not there yet",
        parse: Values.ownFileLocation
    )
    static let into = Flag(
        "into",
        help: "Into a folder that is not empty: files of the same names are replaced"
    )
    private static let from = Option(
        "from",
        "SOURCE",
        help: "A database: a server's URL, a dump of pg_dump, or the folder of a stopped cluster",
        parse: Values.text
    )
    private static let database = Option(
        "database",
        letter: "d",
        "DB",
        help: "With --from: into which database; by default that of the source",
        parse: Values.text
    )

    static let command = Command(
        "import",
        "Copy a folder of this machine into a branch",
        positionals: [folder, target],
        options: [into] + sources,
        discussion: [
            "With modes, owners, times, hard and symbolic links and holes. Sockets and devices "
                + "are left out, with a note. Each file is read again afterwards, on both sides, "
                + "and compared. What cannot be read is named, and the rest is copied all the "
                + "same; the exit code is 1 then. When the command ends, what it copied survives a "
                + "crash. `oxbow branch reset` to the record that it names takes all of it back."
        ] + sourceDiscussion,
        examples: [
            .init("oxbow import ./site main", "a folder's content as the volume's"),
            .init("oxbow import ./site pr-1432:/site", "into a folder of a branch"),
        ] + sourceExamples,
        keys: FileCommands.keys + TreeReport.keys + [
            .init("before", "the record before the import: reset to it to take it back")
        ] + sourceKeys,
        isHere: isHere
    ) { call in
        #if Server
        if let text = call[from] { return try importDatabase(call, text) }
        #endif
        let source = try call.value(folder)
        guard call.has(target) else {
            throw Misuse("\(target.placeholder) is missing: \(call.command.usage)")
        }
        guard let found = try source.target() else {
            throw Failure("file", "\(source.shown) is not there")
        }
        guard found.isFolder else {
            throw Failure("file", "\(source.shown) is no folder: `oxbow fs put` copies a file")
        }
        let report = TreeReport()
        let location = try call.value(target)
        try call.withOwn(location) { files, scene in
            let before = try scene.branch.info().head.lsn
            let folder = try open(scene, files, call[into])
            let progress = Progress("importing", call.output)
            defer { progress.finish() }
            let importer = Importer(
                files: files,
                copy: ContentCopy(unit: scene.store.pageSize) { count in
                    try call.output.expectReader()
                    report.bytesRead += UInt64(count)
                    progress.update(report.progress)
                },
                merges: call[into],
                storeFolder: try call.storePath.target()?.id,
                note: { skipped in
                    progress.finish()
                    call.output.message("note: \(skipped)")
                },
                changed: { scene.tell($0, in: $1, of: files) }
            )
            do { try importer.run(source, into: folder, report) } catch {
                progress.finish()
                call.output.message(
                    "oxbow: the import into \(location.shown) ended early, after "
                        + "\(report.counts); `oxbow branch reset \(scene.name) --to \(before)` "
                        + "takes it back"
                )
                throw error
            }
            try files.sync()
            progress.finish()
            if call.wantsJSON {
                return try call.output.json(
                    scene.json(report.json + [("before", JSON(before))])
                )
            }
            try call.output.line("imported \(report.counts) into \(location.shown)")
            if !report.failed.isEmpty {
                call.output.message(
                    "`oxbow branch reset \(scene.name) --to \(before)` takes it back"
                )
            }
        }
        try report.end(call)
    }

    /// The folder that the tree goes into, made where it is not there.
    private static func open(
        _ scene: FileScene,
        _ files: BranchFiles,
        _ merges: Bool
    ) throws -> InodeNumber {
        let location = scene.location
        guard let found = try files.find(location.path) else {
            let (folder, name) = try files.resolveParent(location.path)
            defer { scene.tell(name, in: folder, of: files) }
            return try files.makeFolder(name, in: folder, Ownership(permissions: 0o755))
        }
        guard try files.attributes(of: found).kind == .folder else {
            throw Failure("notAFolder", "\(location.shown) is no folder: name a new one")
        }
        if !merges, try files.attributes(of: found).size > 0 {
            throw Failure(
                "notEmpty",
                "\(location.shown) is not empty: name a folder that is not there yet, or say "
                    + "--into"
            )
        }
        return found
    }

    // MARK: Databases

    #if Server
    private static let sources: [any AnyOption] = [from, database]
    private static let sourceKeys: [Command.Key] = [
        .init("imported.branch", "with --from: the branch"),
        .init("imported.database", "the database, or null of a cluster"),
        .init("imported.tables", "how many tables it has, or null"),
        .init("imported.bytes", "how many bytes it takes"),
    ]
    private static let sourceExamples: [Command.Example] = [
        .init(
            "oxbow import --from postgresql://me@db.example/app --into pr-1432",
            "a database of another server, as it is now"
        ),
        .init("oxbow import --from app.dump --into main", "a dump, into the database it is of"),
        .init("oxbow import --from app.sql -d app", "a script, into the default branch"),
    ]
    private static let sourceDiscussion = [
        "With --from SOURCE a database is copied into the branch that --into names, or the default "
            + "one, through the server that runs: from a server by pg_dump, from a dump by "
            + "pg_restore or psql, in one transaction. Who owns what, and who may do what, is not "
            + "copied: all belongs to the server's role. A database that has tables already is "
            + "refused.",
        "The folder of a cluster, that no server runs on, is copied as it is, into a branch that "
            + "has none: with a server or without one.",
    ]

    private static func isHere(_ call: Invocation) -> Bool {
        guard let text = call[from] else { return false }
        if ImportSource.isServer(text) { return true }
        let path = call.environment.place(LocalPath(RawText.bytes(text)))
        if case .cluster? = try? ImportSource.at(path) { return false }
        return true
    }

    private static func importDatabase(_ call: Invocation, _ text: String) throws {
        let place = call.environment.place(LocalPath(RawText.bytes(text)))
        let source = try ImportSource.isServer(text) ? .server(text) : ImportSource.at(place)
        if call.has(target) {
            throw Misuse("with --from the branch alone is named: --from SOURCE --into BRANCH")
        }
        let branch = call[folder].map { RawText.text($0.bytes) }
        if let branch { _ = try Values.branch(branch) }
        if case .cluster(let path) = source {
            return try ClusterImport(call: call, source: path, branch: branch).run()
        }
        try DatabaseImport(call: call, source: source, branch: branch, database: call[database])
            .run()
    }
    #else
    private static let sources: [any AnyOption] = []
    private static let sourceKeys: [Command.Key] = []
    private static let sourceExamples: [Command.Example] = []
    private static let sourceDiscussion: [String] = []

    private static func isHere(_ call: Invocation) -> Bool { false }
    #endif
}
