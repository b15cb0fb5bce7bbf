import Glibc
import Oxbow
import Volume

/// `oxbow fs mkdir` and `oxbow fs rm`.
enum FileChanges {
    private static let parents = Flag(
        "parents",
        letter: "p",
        help: "Make the folders on the way too; no error where it is there"
    )

    static let makeFolder = Command(
        "fs mkdir",
        "Make a folder in a branch",
        positionals: [FileCommands.ownLocation],
        options: [parents],
        examples: [.init("oxbow fs mkdir -p main:/var/lib/app", "with those that it is in")],
        keys: FileCommands.keys + [.init("made", "how many folders were made")]
    ) { call in
        try call.withOwn(try call.value(FileCommands.ownLocation)) { files, scene in
            let location = scene.location
            let made = try call[parents] ? makeAll(files, scene) : makeOne(files, scene)
            if call.wantsJSON { return try call.output.json(scene.json([("made", JSON(made))])) }
            try call.output.line(
                made == 0 ? "\(location.shown) is there already" : "made \(location.shown)"
            )
        }
    }

    private static var ownership: Ownership {
        Ownership(permissions: 0o755, owner: geteuid(), group: getegid())
    }

    private static func makeOne(_ files: BranchFiles, _ scene: FileScene) throws -> Int {
        let location = scene.location
        guard location.lastName != nil else {
            throw Failure("exists", "\(location.shown): the root is there already")
        }
        do throws(VolumeError) {
            let (folder, name) = try files.resolveParent(location.path)
            try files.makeFolder(name, in: folder, ownership)
            scene.tell(name, in: folder, of: files)
        } catch {
            guard error.kind == .notFound else { throw error }
            throw Failure(
                "notFound",
                "\(location.shown): the folder that it would be in is not there; say --parents to "
                    + "make that too"
            )
        }
        return 1
    }

    private static func makeAll(_ files: BranchFiles, _ scene: FileScene) throws -> Int {
        let location = scene.location
        var made = 0
        var path: [UInt8] = []
        for part in location.path.split(separator: UInt8(ascii: "/")) {
            path += [UInt8(ascii: "/")] + part
            if let found = try files.find(path) {
                guard try files.attributes(of: found).kind == .folder else {
                    throw Failure(
                        "notAFolder",
                        "\(location.origin):\(Text.name(path)) is no folder"
                    )
                }
                continue
            }
            let (folder, name) = try files.resolveParent(path)
            try files.makeFolder(name, in: folder, ownership)
            scene.tell(name, in: folder, of: files)
            made += 1
        }
        return made
    }

    private static let recursive = Flag(
        "recursive",
        letter: "r",
        help: "A folder too, with all that is in it"
    )

    static let remove = Command(
        "fs rm",
        "Remove a file from a branch",
        positionals: [FileCommands.ownLocation],
        options: [recursive],
        discussion: [
            "The file stays in the branch's history, and in forks: `oxbow fs get "
                + "BRANCH@POINT:/PATH` brings it back as long as history is kept."
        ],
        examples: [
            .init("oxbow fs rm main:/etc/motd", "a file or a link"),
            .init("oxbow fs rm -r main:/tmp/build", "a folder, with all that is in it"),
        ],
        keys: FileCommands.keys + [
            .init("removed", "how many files, links and folders were removed"),
            .init("before", "the record before the removal: what to get them from"),
        ]
    ) { call in
        try call.withOwn(try call.value(FileCommands.ownLocation)) { files, scene in
            let location = scene.location
            guard location.lastName != nil else {
                throw Misuse(
                    "the root cannot be removed: name what is in it, such as "
                        + "\(location.origin):/etc"
                )
            }
            let before = try scene.branch.info().head.lsn
            let (folder, name) = try files.resolveParent(location.path)
            let number = try files.lookUp(name, in: folder)
            var removed = 1
            if try files.attributes(of: number).kind != .folder {
                guard !location.endsInSlash else {
                    throw Failure("notAFolder", "\(location.shown): it is no folder")
                }
                try files.remove(name, from: folder)
            } else if call[recursive] {
                removed = try removeTree(files, scene, number, call.output)
                try files.removeFolder(name, from: folder)
            } else {
                throw Failure(
                    "isAFolder",
                    "\(location.shown) is a folder: say --recursive to remove it and all that is "
                        + "in it"
                )
            }
            scene.tell(name, in: folder, of: files)
            if call.wantsJSON {
                return try call.output.json(
                    scene.json([("removed", JSON(removed)), ("before", JSON(before))])
                )
            }
            let more = removed > 1 ? " and what was in it: \(removed) in all" : ""
            try call.output.line("removed \(location.shown)\(more)")
        }
    }

    /// Removes what is in a folder, and counts that and the folder.
    private static func removeTree(
        _ files: BranchFiles,
        _ scene: FileScene,
        _ top: InodeNumber,
        _ output: Output
    ) throws -> Int {
        var removed = 0
        let progress = Progress("removing", output)
        defer { progress.finish() }
        try TreeWalk.run(files, scene.location.path, top) { step in
            switch step {
            case .enter: return
            case .leave(let place):
                guard let name = place.name else { break }
                try files.removeFolder(name, from: place.folder)
                scene.tell(name, in: place.folder, of: files)
            case .other(let place):
                guard let name = place.name else { break }
                try files.remove(name, from: place.folder)
                scene.tell(name, in: place.folder, of: files)
            }
            removed += 1
            try output.expectReader()
            progress.update("\(removed) removed")
        }
        return removed
    }
}
