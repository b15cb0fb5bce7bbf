import Glibc

/// Where a compute finds what, as the server sees it and as the compute does.
///
///     runPath/KEY/            root's; seen by the compute as runPath
///       postgresql.conf       what the server sets, with the branch's own settings
///       hba.conf  ident.conf
///       sockets/              the compute's user's, mode 0700
///       lock                  held by whoever runs the branch, until its last process ends
///     logPath/KEY/            what it said; the server's, mode 0700
package struct ComputePlace: Sendable {
    let options: ComputeOptions
    let key: String
    /// Who PostgreSQL runs as; nil for ourselves.
    let user: SystemUser?

    /// The folder of the data in a branch.
    static let dataFolder = "pgdata"
    /// What that is called until it is whole.
    package static let unfinishedFolder = ".pgdata-unfinished"
    static let settingsFile = "postgresql.conf"
    /// The number in the names of sockets.
    static let port = 5432
    /// Names of sockets have to be shorter than 108 bytes.
    static let socketLimit = 107

    var isIsolated: Bool { user != nil }
    var folder: String { options.runPath + "/" + key }
    var sockets: String { folder + "/sockets" }
    /// The socket itself, as the server sees it.
    var socketPath: String { sockets + "/.s.PGSQL.\(Self.port)" }
    var logs: String { options.logPath + "/" + key }
    var lock: String { folder + "/lock" }
    var settings: String { folder + "/" + Self.settingsFile }

    /// A place as ourselves.
    package init(_ options: ComputeOptions, key: String) throws(ComputeError) {
        try self.init(options, key: key, user: nil)
    }

    init(_ options: ComputeOptions, key: String, user: SystemUser?) throws(ComputeError) {
        let allowed = key.utf8.allSatisfy {
            ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7a || $0 >= 0x30 && $0 <= 0x39
                || [0x40, 0x2d, 0x5f].contains($0)
        }
        guard allowed, !key.isEmpty, key.utf8.count < 64 else {
            throw ComputeError(.invalid, "\"\(key)\" is no key of a compute")
        }
        self.options = options
        self.key = key
        self.user = user
        guard socketPath.utf8.count <= Self.socketLimit else {
            throw ComputeError(.invalid, "\(options.runPath) is too long a path for sockets")
        }
    }

    func make() throws(ComputeError) {
        try ComputeFiles.makeFolder(folder, mode: 0o755)
        try ComputeFiles.makeFolder(sockets, mode: 0o700, owner: user)
        try ComputeFiles.makeFolder(logs, mode: 0o700)
    }

    /// Takes away what a compute left that is not started again.
    func remove() {
        removeRun()
        ComputeFiles.removeFolder(logs)
    }

    /// Takes away what only a compute that runs needs: nothing where one does.
    func removeRun() {
        let file = unsafe open(lock, O_RDWR | O_CLOEXEC)
        guard file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return
        }
        ComputeFiles.removeFolder(sockets)
        ComputeFiles.removeFolder(folder)
        if file >= 0 { close(file) }
    }

    /// The run folder as the compute sees it.
    var seenFolder: String { isIsolated ? options.runPath : folder }
    var seenSockets: String { seenFolder + "/sockets" }

    /// The branch's folder as the compute sees it: the same for all branches, so that what a
    /// cluster remembers of absolute paths holds in its forks.
    func seenBranch(_ name: String) -> String {
        isIsolated ? options.mountPath : options.treePath + "/" + name
    }

    func seenData(_ name: String) -> String { seenBranch(name) + "/" + Self.dataFolder }

    func seenUnfinished(_ name: String) -> String {
        seenBranch(name) + "/" + Self.unfinishedFolder
    }

    /// A program that sees this branch and no other.
    func program(_ path: String, _ arguments: [String], on name: String) -> ComputeProgram {
        var program = ComputeProgram(path: path, arguments: arguments)
        program.user = user
        if isIsolated {
            program.view = [
                (folder, options.runPath),
                (options.treePath + "/" + name, options.mountPath),
            ]
        }
        return program
    }

    /// Takes the lock that says that nobody else runs this branch: held until it is closed here
    /// and by every process of the compute. Waits a while for one that is on its way out.
    func takeLock() throws(ComputeError) -> Int32 {
        for _ in 0..<200 {
            let file = unsafe open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw ComputeFiles.failure("open \(lock)") }
            let isHeld = flock(file, LOCK_EX | LOCK_NB) == 0
            // One that waited may have brought another file meanwhile.
            if isHeld, ComputeFiles.isOpen(file, lock) { return file }
            close(file)
            if !isHeld { usleep(50_000) }
        }
        throw ComputeError(
            .failed,
            "processes of an earlier compute still run on this branch; \(lock) is theirs"
        )
    }
}
