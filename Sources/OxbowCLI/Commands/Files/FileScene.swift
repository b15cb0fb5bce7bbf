import Oxbow
import Volume

/// What a command on files works with.
struct FileScene {
    let store: Store
    let branch: Branch
    let name: String
    let location: FileLocation
    /// Told of names that lead elsewhere now.
    var host: StoreHost?

    /// Says that a name in a folder leads elsewhere now, or nowhere.
    func tell(_ name: FileName, in folder: InodeNumber, of files: BranchFiles) {
        host?.forget(files, folder, name)
    }

    /// What every document begins with.
    func json(_ more: [(String, JSON)]) -> JSON {
        let origin: JSON = ["id": JSON(branch.id), "name": .string(name)]
        let path = String(decoding: location.path, as: UTF8.self)
        return .object([("branch", origin), ("path", .string(path))] + more)
    }
}

extension FileCommands {
    /// The keys that every document has.
    static let keys: [Command.Key] = [
        .init("branch.id", "the branch's id"), .init("branch.name", "its name"),
        .init("path", "the path, as far as it is text"),
    ]
    static let lsnKey = Command.Key("lsn", "the record whose state was read")

    static let location = Positional(
        "BRANCH[@POINT]:/PATH",
        help: "The branch, as it is now or as it was at a point, and a path in its files",
        parse: Values.fileLocation
    )
    static let ownLocation = Positional(
        "BRANCH:/PATH",
        help: "The branch, and a path in its files",
        parse: Values.ownFileLocation
    )
}

extension Invocation {
    /// Runs a body on files as they were at a point, or are now.
    func withPast(
        _ location: FileLocation,
        _ body: (PastFiles, FileScene) throws -> Void
    ) throws {
        try withStore { store in
            let point = try store.point(location.branch)
            let branch = try store.branch(point.branch)
            let scene = FileScene(
                store: store,
                branch: branch,
                name: try branch.info().name,
                location: location
            )
            let view = try branch.view(at: point)
            guard try PastFiles.areHeld(by: view) else {
                throw Failure(
                    "notFound",
                    "\(location.origin) holds no files: `oxbow fs put` and `oxbow import` put some "
                        + "into a branch"
                )
            }
            try location.naming { try body(PastFiles(view), scene) }
        }
    }

    /// Runs a body on the files of a branch, which becomes a volume where it holds nothing. What
    /// the body did is durable afterwards.
    func withOwn(
        _ location: FileLocation,
        _ body: (BranchFiles, FileScene) throws -> Void
    ) throws {
        try withStore { store in
            let branch = try store.find(location.branch.branch)
            let scene = FileScene(
                store: store,
                branch: branch,
                name: try branch.info().name,
                location: location,
                host: environment.host
            )
            let files: BranchFiles
            do throws(VolumeError) { files = try BranchFiles.open(branch) } catch {
                throw error.kind == .invalid ? Failure("conflict", error.message) : error
            }
            try alone(with: branch) {
                try location.naming {
                    try ComputeGuard.check(self, files, scene)
                    try body(files, scene)
                }
            }
            try files.sync()
        }
    }
}

extension Invocation {
    /// Runs a body that changes a branch's files. Of a store that is open for this command, no
    /// other command is there.
    private func alone(with branch: Branch, _ body: () throws -> Void) throws {
        guard let host = environment.host else { return try body() }
        try host.changing(branch.id, output, body)
    }
}

extension FileLocation {
    /// Runs a body, and says of a failure which path it met.
    func naming(_ body: () throws -> Void) throws {
        do { try body() } catch let error as VolumeError { throw failure(error) }
    }

    func failure(_ error: VolumeError) -> Failure {
        let sentence: String? =
            switch error.kind {
            case .notFound: "there is no such file or folder"
            case .exists: "it is there already"
            case .notAFolder: "something on this path is no folder"
            case .isAFolder: "it is a folder"
            case .notEmpty: "the folder is not empty"
            case .tooManyHops: "its symbolic links lead in a circle, or over too many"
            default: nil
            }
        let failure = Failure(error)
        return Failure(failure.kind, "\(shown): \(sentence ?? failure.message)")
    }
}

extension FileTree {
    /// A folder's entries, in the order of the bytes of their names.
    func entries(of folder: InodeNumber) throws(VolumeError) -> [Listing] {
        var entries: [Listing] = []
        try visitEntries(of: folder, from: .start) { entry, _ in
            entries.append(entry)
            return true
        }
        return entries.sorted { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
    }

    /// What has a name in a folder; nil where nothing has.
    func find(_ name: FileName, in folder: InodeNumber) throws(VolumeError) -> InodeNumber? {
        do throws(VolumeError) { return try lookUp(name, in: folder) } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    /// Finds what a path leads to; nil where there is nothing, and its folder is there.
    func find(_ path: [UInt8], followingLast: Bool = true) throws(VolumeError) -> InodeNumber? {
        do throws(VolumeError) { return try resolve(path, followingLast: followingLast) } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }
}
