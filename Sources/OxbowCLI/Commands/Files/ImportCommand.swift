import Oxbow
import Volume

/// `oxbow import`.
enum ImportCommand {
    private static let folder = Positional(
        "FOLDER",
        help: "The folder of this machine to copy",
        parse: Values.localPath
    )
    private static let target = Positional(
        "BRANCH[:/PATH]",
        help: "Where to: a branch, and a folder in it that is empty or is not there yet",
        parse: Values.ownFileLocation
    )
    static let into = Flag(
        "into",
        help: "Into a folder that is not empty: files of the same names are replaced"
    )

    static let command = Command(
        "import",
        "Copy a folder of this machine into a branch",
        positionals: [folder, target],
        options: [into],
        discussion: [
            "With modes, owners, times, hard and symbolic links and holes. Sockets and devices "
                + "are left out, with a note. Each file is read again afterwards, on both sides, "
                + "and compared. What cannot be read is named, and the rest is copied all the "
                + "same; the exit code is 1 then. When the command ends, what it copied survives a "
                + "crash. `oxbow branch reset` to the record that it names takes all of it back."
        ],
        examples: [
            .init("oxbow import ./site main", "a folder's content as the volume's"),
            .init("oxbow import ./site pr-1432:/site", "into a folder of a branch"),
        ],
        keys: FileCommands.keys + TreeReport.keys + [
            .init("before", "the record before the import: reset to it to take it back")
        ]
    ) { call in
        let source = try call.value(folder)
        guard try source.target()?.isFolder == true else {
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
}
