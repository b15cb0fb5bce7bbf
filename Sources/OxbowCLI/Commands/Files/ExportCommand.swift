import Oxbow
import Volume

/// `oxbow export`.
enum ExportCommand {
    private static let source = Positional(
        "BRANCH[@POINT][:/PATH]",
        help: "What to copy: a branch, as it is now or as it was at a point, or a folder in it",
        parse: Values.fileLocation
    )
    private static let folder = Positional(
        "FOLDER",
        help: "Where to: a folder of this machine that is empty or is not there yet",
        parse: Values.localPath
    )

    static let command = Command(
        "export",
        "Copy the files of a branch into a folder of this machine",
        positionals: [source, folder],
        options: [ImportCommand.into],
        discussion: [
            "With modes, times, hard and symbolic links and holes; with owners where root does "
                + "it. Sockets and devices are left out, with a note. Each file is read again "
                + "afterwards, on both sides, and compared. What was copied is durable when the "
                + "command ends."
        ],
        examples: [
            .init("oxbow export main ./site", "all files of a branch"),
            .init("oxbow export main@10m:/etc ./etc-before", "a folder as it was"),
        ],
        keys: FileCommands.keys + TreeReport.keys + [FileCommands.lsnKey]
    ) { call in
        let target = try call.value(folder)
        let report = TreeReport()
        try call.withPast(try call.value(source)) { files, scene in
            let top = try files.resolve(scene.location.path)
            guard try files.attributes(of: top).kind == .folder else {
                throw Failure(
                    "notAFolder",
                    "\(scene.location.shown) is no folder: `oxbow fs get` copies a file"
                )
            }
            let isNew = try prepare(target, call[ImportCommand.into])
            let progress = Progress("exporting", call.output)
            defer { progress.finish() }
            let exporter = Exporter(
                files: files,
                copy: ContentCopy(unit: scene.store.pageSize) { count in
                    try call.output.expectReader()
                    report.bytesRead += UInt64(count)
                    progress.update(report.progress)
                },
                note: { skipped in
                    progress.finish()
                    call.output.message("note: \(skipped)")
                }
            )
            do {
                try exporter.run(top, scene.location.path, to: target, isNew: isNew, report)
                try LocalFile.folder(target).syncAll()
            } catch {
                progress.finish()
                call.output.message(
                    "oxbow: the export to \(target.shown) ended early, after \(report.counts); "
                        + "they are there, and not durable"
                )
                throw error
            }
            progress.finish()
            if call.wantsJSON {
                return try call.output.json(
                    scene.json(report.json + [("lsn", JSON(files.view.point.lsn))])
                )
            }
            try call.output.line("exported \(report.counts) to \(target.shown)")
        }
    }

    /// Sees to it that there is a folder to copy into. Whether it gets the attributes of what is
    /// copied: it does where nothing was in it.
    private static func prepare(_ target: LocalPath, _ merges: Bool) throws -> Bool {
        guard let found = try target.target() else {
            try target.makeFolder()
            return true
        }
        guard found.isFolder else {
            throw Failure("file", "\(target.shown) is no folder: name one that is not there yet")
        }
        let isEmpty = try target.names().isEmpty
        guard isEmpty || merges else {
            throw Failure(
                "file",
                "\(target.shown) is not empty: name a folder that is not there yet, or say --into"
            )
        }
        return isEmpty
    }
}
