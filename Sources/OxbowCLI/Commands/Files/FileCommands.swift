import Oxbow
import Volume

/// `oxbow fs ls`, `stat` and `cat`: what looks at files.
enum FileCommands {
    private static let long = Flag(
        "long",
        letter: "l",
        help: "Say of each its mode, links, owner, group, size and time"
    )

    static let list = Command(
        "fs ls",
        "List a folder of a branch",
        positionals: [location],
        options: [long],
        discussion: [
            "In the order of the names' bytes. A name that cannot be shown is quoted as $'...', "
                + "which a shell reads back. Of a file, the file itself."
        ],
        examples: [
            .init("oxbow fs ls main:/", "what is in the volume"),
            .init("oxbow fs ls -l main@10m:/etc", "a folder as it was ten minutes ago"),
        ],
        keys: keys + [lsnKey] + FileDescription.keys("entries[].")
    ) { call in
        try call.withPast(try call.value(location)) { files, scene in
            let entries = try descriptions(files, scene.location)
            if call.wantsJSON {
                return try call.output.json(
                    scene.json([
                        ("lsn", JSON(files.view.point.lsn)),
                        ("entries", .array(entries.map { .object($0.json) })),
                    ])
                )
            }
            try call.output.lines(call[long] ? table(entries) : entries.map { Text.name($0.name) })
        }
    }

    private static func descriptions(
        _ files: PastFiles,
        _ location: FileLocation
    ) throws(VolumeError) -> [FileDescription] {
        let number = try files.resolve(location.path)
        guard try files.attributes(of: number).kind == .folder else {
            return [try FileDescription(location.lastName ?? [], number, in: files)]
        }
        var entries: [FileDescription] = []
        for entry in try files.entries(of: number) {
            entries.append(try FileDescription(entry.name.bytes, entry.number, in: files))
        }
        return entries
    }

    private static func table(_ entries: [FileDescription]) -> [String] {
        var table = Table([
            ("MODE", .left), ("LINKS", .right), ("OWNER", .right), ("GROUP", .right),
            ("SIZE", .right), ("MODIFIED", .left), ("NAME", .left),
        ])
        for entry in entries {
            let known = entry.attributes
            table.add([
                entry.mode, "\(known.linkCount)", "\(known.owner)", "\(known.group)",
                "\(known.size)", FileDescription.time(known.modified), entry.title,
            ])
        }
        return table.lines
    }

    static let stat = Command(
        "fs stat",
        "Say all that is known of a file beside its content",
        positionals: [location],
        discussion: ["Of a symbolic link, of the link itself."],
        examples: [.init("oxbow fs stat main:/etc/motd", "its size, mode, owner and times")],
        keys: keys + [lsnKey] + FileDescription.keys()
    ) { call in
        try call.withPast(try call.value(location)) { files, scene in
            let path = scene.location.path
            let number = try files.resolve(path, followingLast: false)
            let name = scene.location.lastName ?? path
            let file = try FileDescription(name, number, in: files)
            if call.wantsJSON {
                let lsn = JSON(files.view.point.lsn)
                return try call.output.json(scene.json([("lsn", lsn)] + file.json))
            }
            try call.output.lines([scene.location.shown] + lines(file, scene.store.pageSize))
        }
    }

    private static func lines(_ file: FileDescription, _ pageSize: Int) -> [String] {
        let known = file.attributes
        var fields = Fields()
        fields.add("kind", "\(known.kind)")
        fields.add("size", Self.size(known))
        fields.add("pages", "\(known.pageCount) of \(pageSize) bytes")
        fields.add("mode", "\(file.mode) (\(file.permissions))")
        fields.add("owner", "\(known.owner), group \(known.group)")
        fields.add("links", "\(known.linkCount)")
        fields.add("inode", "\(file.number)")
        fields.add("leads to", file.target.map(Text.name))
        fields.add("accessed", FileDescription.time(known.accessed))
        fields.add("modified", FileDescription.time(known.modified))
        fields.add("changed", FileDescription.time(known.changed))
        fields.add("created", FileDescription.time(known.created))
        return fields.lines
    }

    private static func size(_ known: Attributes) -> String {
        guard known.kind == .folder else { return Text.count(known.size, "byte") }
        return "\(known.size) " + (known.size == 1 ? "entry" : "entries")
    }

    /// What a JSON document holds of a file: it is put together in memory.
    private static let documentBytes: UInt64 = 64 << 20

    static let cat = Command(
        "fs cat",
        "Write a file of a branch to the standard output",
        positionals: [location],
        discussion: [
            "With --json the content comes as base64, of files of up to 64 MiB."
        ],
        examples: [
            .init("oxbow fs cat main:/etc/motd", "as it is now"),
            .init("oxbow fs cat main@10m:/etc/motd > motd", "as it was ten minutes ago"),
        ],
        keys: keys + [
            lsnKey, .init("size", "bytes of the file"), .init("base64", "what is in it"),
        ]
    ) { call in
        try call.withPast(try call.value(location)) { files, scene in
            let number = try files.resolve(scene.location.path)
            let attributes = try files.attributes(of: number)
            guard attributes.kind == .file || attributes.kind == .folder else {
                throw VolumeFailure.noFile(scene.location, attributes.kind)
            }
            let size = attributes.size
            guard call.wantsJSON else {
                return try FileStream.write(number, of: files) { try call.output.bytes($0) }
            }
            guard size <= documentBytes else {
                throw Failure(
                    "fileTooLarge",
                    "\(scene.location.shown) has \(Text.bytes(size)), too much for a document: "
                        + "leave out --json, or use `oxbow fs get`"
                )
            }
            var content: [UInt8] = []
            try FileStream.write(number, of: files) { content += $0 }
            try call.output.json(
                scene.json([
                    ("lsn", JSON(files.view.point.lsn)), ("size", JSON(size)),
                    ("base64", .string(Base64.encode(content))),
                ])
            )
        }
    }
}

/// A file's bytes, one after the other.
enum FileStream {
    static func write(
        _ number: InodeNumber,
        of tree: some FileTree,
        _ body: ([UInt8]) throws -> Void
    ) throws {
        var buffer = [UInt8](repeating: 0, count: ContentCopy.pieceBytes)
        var offset: UInt64 = 0
        while true {
            let count = try unsafe buffer.withUnsafeMutableBytes {
                try unsafe tree.read(number, at: offset, into: $0)
            }
            if count == 0 { return }
            try body(Array(buffer.prefix(count)))
            offset += UInt64(count)
        }
    }
}
