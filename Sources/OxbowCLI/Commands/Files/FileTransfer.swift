import Glibc
import Oxbow
import Volume

/// `oxbow fs put` and `oxbow fs get`.
enum FileTransfer {
    private static let source = Positional(
        "LOCAL",
        help: "A file of this machine, or - for the standard input",
        parse: Values.localPath
    )
    private static let target = Positional(
        "LOCAL",
        help: "A file or folder of this machine, or - for the standard output",
        parse: Values.localPath
    )

    static let put = Command(
        "fs put",
        "Copy a file into a branch",
        positionals: [source, FileCommands.ownLocation],
        discussion: [
            "What has the name is replaced in one step, and keeps its mode and owner; who reads it "
                + "meanwhile sees the old content or the new. Into a folder, the file goes under "
                + "its own name. When the command ends the file survives a crash. A branch that "
                + "holds nothing yet becomes a volume."
        ],
        examples: [
            .init("oxbow fs put motd main:/etc/motd", "a file"),
            .init("oxbow fs put - main:/backup.sql < backup.sql", "the standard input"),
        ],
        keys: FileCommands.keys + [
            .init("size", "bytes of the file"), .init("pages", "how many pages were written"),
            .init("replaced", "whether something else had the name"),
        ]
    ) { call in
        let source = try call.value(source)
        if source.isStandard, call.environment.input.isTerminal {
            throw Misuse(
                "fs put reads the standard input, which is a terminal: redirect a file or a pipe "
                    + "into it"
            )
        }
        let local = source.isStandard ? nil : try openFile(source)
        try call.withOwn(try call.value(FileCommands.ownLocation)) { files, scene in
            let location = try destination(scene.location, source, files)
            let (folder, name) = try files.resolveParent(location.path)
            let before = try files.find(name, in: folder)
            var known: Attributes?
            if let before { known = try files.attributes(of: before) }
            guard known?.kind != .folder else { throw isFolder(location) }
            let progress = Progress("writing", call.output)
            defer { progress.finish() }
            try files.place(name, in: folder) { name in
                let number = try files.makeFile(name, in: folder, ownership(known, local))
                let input = local.map { Input(ByteStream($0.descriptor)) }
                try fill(
                    files.openFile(number),
                    local,
                    input ?? call.environment.input,
                    scene.store.pageSize,
                    progress
                )
                if let known, known.kind == .file { try files.keep(known, of: number) }
            }
            progress.finish()
            scene.tell(name, in: folder, of: files)
            let made = try files.attributes(of: files.lookUp(name, in: folder))
            if call.wantsJSON {
                return try call.output.json(
                    FileScene(
                        store: scene.store,
                        branch: scene.branch,
                        name: scene.name,
                        location: location
                    ).json([
                        ("size", JSON(made.size)), ("pages", JSON(made.pageCount)),
                        ("replaced", .bool(before != nil)),
                    ])
                )
            }
            try call.output.line("wrote \(Text.bytes(made.size)) to \(location.shown)")
        }
    }

    private static func openFile(_ path: LocalPath) throws -> LocalFile {
        let file = try LocalFile.reading(path)
        if try file.status().isFolder {
            throw Failure(
                "isAFolder",
                "\(path.shown) is a folder: `oxbow import` copies whole trees"
            )
        }
        return file
    }

    private static func isFolder(_ location: FileLocation) -> Failure {
        Failure("isAFolder", "\(location.shown) is a folder: name a file in it")
    }

    /// A folder stands for the file of the same name in it.
    private static func destination(
        _ location: FileLocation,
        _ source: LocalPath,
        _ files: BranchFiles
    ) throws -> FileLocation {
        let found =
            try location.endsInSlash ? files.resolve(location.path) : files.find(location.path)
        guard let found, try files.attributes(of: found).kind == .folder else {
            if location.endsInSlash { throw VolumeFailure.notAFolder(location) }
            return location
        }
        guard !source.isStandard, let name = source.lastName else { throw isFolder(location) }
        return location.inside(name)
    }

    private static func ownership(_ known: Attributes?, _ local: LocalFile?) throws -> Ownership {
        let permissions = try local?.status().permissions ?? 0o644
        return Ownership(
            permissions: known?.kind == .file ? 0o600 : permissions & 0o777,
            owner: geteuid(),
            group: getegid()
        )
    }

    private static func fill(
        _ file: OpenFile,
        _ local: LocalFile?,
        _ input: Input,
        _ pageSize: Int,
        _ progress: Progress
    ) throws {
        var done: UInt64 = 0
        func tell(_ count: Int) throws {
            try progress.expectReader()
            done += UInt64(count)
            progress.update(Text.bytes(done))
        }
        if let local, try local.status().isFile {
            let copy = ContentCopy(unit: pageSize, progress: tell)
            let digest = try copy.read(local) { try unsafe file.write($0, at: $1) }
            return try file.reserve(0..<digest.byteCount)
        }
        while true {
            let bytes = try input.read(ContentCopy.pieceBytes)
            if bytes.isEmpty { return }
            try file.write(bytes, at: done)
            try tell(bytes.count)
        }
    }

    static let get = Command(
        "fs get",
        "Copy a file out of a branch",
        positionals: [FileCommands.location, target],
        discussion: [
            "What has the name is replaced in one step, when the file is whole and durable. Into a "
                + "folder, the file goes under its own name. Holes stay holes."
        ],
        examples: [
            .init("oxbow fs get main@10m:/etc/motd .", "a file as it was ten minutes ago"),
            .init("oxbow fs get main:/backup.sql - | less", "to the standard output"),
        ],
        keys: FileCommands.keys + [
            FileCommands.lsnKey, .init("size", "bytes of the file"),
            .init("local", "where it is now"),
        ]
    ) { call in
        let target = try call.value(target)
        if target.isStandard, call.wantsJSON {
            throw Misuse("--json needs the standard output for itself: name a file, or use fs cat")
        }
        try call.withPast(try call.value(FileCommands.location)) { files, scene in
            let number = try files.resolve(scene.location.path)
            if target.isStandard {
                return try FileStream.write(number, of: files) { try call.output.bytes($0) }
            }
            let known = try files.attributes(of: number)
            guard known.kind == .file else {
                throw VolumeFailure.noFile(scene.location, known.kind)
            }
            var path = target
            if try target.target()?.isFolder == true, let name = scene.location.lastName {
                path = target.appending(name)
            }
            let progress = Progress("reading", call.output)
            defer { progress.finish() }
            var done: UInt64 = 0
            let copy = ContentCopy(unit: scene.store.pageSize) { count in
                try call.output.expectReader()
                done += UInt64(count)
                progress.update("\(Text.bytes(done)) of \(Text.bytes(known.size))")
            }
            try path.place { path in
                let file = try LocalFile.making(path)
                let content = VolumeContent(tree: files, number: number)
                _ = try copy.read(content) { try unsafe file.write($0, at: $1) }
                try file.resize(to: known.size)
                try file.setPermissions(known.permissions & 0o777)
                try file.sync()
            }
            progress.finish()
            if call.wantsJSON {
                return try call.output.json(
                    scene.json([
                        ("lsn", JSON(files.view.point.lsn)), ("size", JSON(known.size)),
                        ("local", .string(String(decoding: path.bytes, as: UTF8.self))),
                    ])
                )
            }
            try call.output.line("wrote \(Text.bytes(known.size)) to \(path.shown)")
        }
    }
}

/// What several commands say of a path.
enum VolumeFailure {
    static func notAFolder(_ location: FileLocation) -> Failure {
        Failure(
            "notAFolder",
            "\(location.shown): there is no such folder, and the path ends as one"
        )
    }

    static func noFile(_ location: FileLocation, _ kind: FileKind) -> Failure {
        if kind == .folder {
            return Failure(
                "isAFolder",
                "\(location.shown) is a folder: `oxbow export` copies whole trees"
            )
        }
        return Failure("invalid", "\(location.shown) is a \(kind), and has no content")
    }
}

extension FileLocation {
    /// What has a name in the folder that this is.
    func inside(_ name: [UInt8]) -> FileLocation {
        FileLocation(branch: branch, path: Self.places(of: name, in: path), origin: origin)
    }
}

extension BranchFiles {
    /// Gives a file the mode and the owner of another.
    fileprivate func keep(_ known: Attributes, of number: InodeNumber) throws(VolumeError) {
        var change = AttributeChange()
        change.permissions = known.permissions
        change.owner = known.owner
        change.group = known.group
        try self.change(number, change)
    }
}
