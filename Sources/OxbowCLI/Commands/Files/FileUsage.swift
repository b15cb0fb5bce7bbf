import Oxbow
import Volume

/// `oxbow fs du`.
enum FileUsage {
    private static let summary = Flag(
        "summary",
        letter: "s",
        help: "Only the sum, not each folder"
    )

    static let command = Command(
        "fs du",
        "Say how many pages files take",
        positionals: [FileCommands.location],
        options: [summary],
        discussion: [
            "Of each folder, with all that is in it: the pages that were written, of content and "
                + "of folders' entries, and one for each file that tells of it. Holes take none, "
                + "and a file with several names counts once. Bytes are those pages, before they "
                + "are compressed."
        ],
        examples: [
            .init("oxbow fs du main:/", "each folder"),
            .init("oxbow fs du -s main@10m:/var", "a folder as it was, in one line"),
        ],
        keys: FileCommands.keys + [
            FileCommands.lsnKey, .init("pages", "how many pages it takes"),
            .init("bytes", "how many bytes those are"), .init("files", "how many files there are"),
            .init("folders[].path", "a folder in it, by its path from the root"),
            .init("folders[].pages", "how many pages it takes, with what is in it"),
            .init("folders[].bytes", "how many bytes those are"),
        ]
    ) { call in
        try call.withPast(try call.value(FileCommands.location)) { files, scene in
            let pageSize = UInt64(scene.store.pageSize)
            var rows: [(path: [UInt8], pages: UInt64)] = []
            let number = try files.resolve(scene.location.path)
            var sum = Sum()
            try sum.walk(files, scene.location.path, number) { path, pages in
                if !call[summary] { rows.append((path, pages)) }
            }
            if call.wantsJSON {
                let folders = rows.map { row -> JSON in
                    [
                        "path": .string(String(decoding: row.path, as: UTF8.self)),
                        "pages": JSON(row.pages), "bytes": JSON(row.pages * pageSize),
                    ]
                }
                return try call.output.json(
                    scene.json([
                        ("lsn", JSON(files.view.point.lsn)), ("pages", JSON(sum.pages)),
                        ("bytes", JSON(sum.pages * pageSize)), ("files", JSON(sum.files)),
                        ("folders", .array(folders)),
                    ])
                )
            }
            if rows.isEmpty { rows = [(scene.location.path, sum.pages)] }
            var table = Table([("PAGES", .right), ("SIZE", .right), ("PATH", .left)])
            for row in rows {
                let size = Text.bytes(row.pages * pageSize)
                table.add(["\(row.pages)", size, Text.name(row.path)])
            }
            try call.output.lines(table.lines)
        }
    }

    private struct Sum {
        var pages: UInt64 = 0
        var files: UInt64 = 0
        private var seen: Set<InodeNumber> = []

        /// Adds up a tree, and tells of each folder when it is done.
        mutating func walk(
            _ tree: some FileTree,
            _ path: [UInt8],
            _ number: InodeNumber,
            _ folder: ([UInt8], UInt64) -> Void
        ) throws {
            var before: [UInt64] = []
            try TreeWalk.run(tree, path, number) { step in
                switch step {
                case .leave(let place): folder(place.path, pages - before.removeLast())
                case .enter(let place):
                    before.append(pages)
                    add(place)
                case .other(let place): add(place)
                }
            }
        }

        private mutating func add(_ place: TreeWalk.Place) {
            let known = place.attributes
            if known.kind != .folder, known.linkCount > 1, !seen.insert(place.number).inserted {
                return
            }
            if known.kind != .folder { files += 1 }
            pages += known.pageCount + 1
        }
    }
}
