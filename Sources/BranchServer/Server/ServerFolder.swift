import CLinux
import DiskIO
import FuseMount
import Glibc
import Primitives

/// What a server keeps beside its store, and where it is found while it runs.
///
///     DATA/server/            mode 0700
///       password              the role's, made with the first cluster; 0600
///       secret                what the salts of users are made of whom there are not; 0600
///       server.crt .key       for TLS
///       default-branch        missing: main
///       log/                  what the server has to tell
///       computes/KEY/         what each compute said
///       control               a socket for commands
///       address               how to reach it, while it runs: a word and its value on each line
///     RUN/                    mode 0711; on a disk of the system, its path short, since names of
///                             sockets are
///       mnt/                  mode 0700 where root serves; what a compute sees its branch as
///         all/                the branches as folders; in mnt itself where another user serves
///       computes/KEY/         what each compute needs
///       branches/NAME/        a socket for each branch; mode 0711, so that nobody reads names
package struct ServerFolder: Sendable {
    package let dataPath: String
    package let run: String

    package var path: String { dataPath + "/server" }
    package var control: String { path + "/control" }
    package var address: String { path + "/address" }
    package var passwordFile: String { path + "/password" }
    package var mount: String { run + "/mnt" }
    /// On a disk: of what may be in memory, as RUN, it would take too much.
    package var copies: String {
        "/var/tmp/" + (run.split(separator: "/").last.map(String.init) ?? "oxbow")
    }
    package var computes: String { run + "/computes" }
    var computeLogs: String { path + "/computes" }
    package var branches: String { run + "/branches" }

    /// Where a server of the store in a folder, which exists, keeps what.
    package init(dataPath: String) throws(ServerError) {
        guard let real = unsafe realpath(dataPath, nil) else {
            throw Self.failure(dataPath)
        }
        defer { unsafe free(real) }
        self.dataPath = unsafe String(cString: real)
        var status = stat()
        guard unsafe stat(dataPath, &status) == 0 else { throw Self.failure(dataPath) }
        // Of the folder itself: the same by whatever path it was named.
        let mark = String(UInt64(status.st_ino) ^ UInt64(status.st_dev) << 40, radix: 16)
        run = geteuid() == 0 ? "/run/oxbow-\(mark)" : "/tmp/oxbow-\(geteuid())-\(mark)"
    }

    package init(making dataPath: String) throws(ServerError) {
        try Self.make(dataPath, mode: 0o700, mayExist: true)
        try self.init(dataPath: dataPath)
        try Self.make(path, mode: 0o700, mayExist: true)
        try Self.make(run, mode: Self.nameless, mayExist: true)
        try expectOwn(run)
        try Self.make(branches, mode: Self.nameless, mayExist: true)
    }

    /// Others come to a socket whose path they know, and see no names of branches.
    static let nameless: mode_t = 0o711

    private static func failure(_ what: String) -> ServerError {
        let kind: ServerError.Kind = errno == ENOENT ? .notFound : .failed
        return ServerError(kind, "\(what): \(unsafe String(cString: strerror(errno)))")
    }

    private static func make(
        _ path: String,
        mode: mode_t,
        mayExist: Bool
    ) throws(ServerError) {
        if unsafe mkdir(path, mode) == 0 {
            // Whatever the caller's new files are for others.
            guard unsafe chmod(path, mode) == 0 else { throw failure(path) }
            return
        }
        // A mount that a process left that is no more is taken away when it is mounted again.
        guard mayExist, errno == EEXIST || errno == ENOTCONN else {
            throw failure("make \(path)")
        }
    }

    /// The folder with the branches, or with copies, in what a compute sees its own as. Where root
    /// serves nobody else passes there, whose files they are meant to be: each compute has its own
    /// put before it by root.
    func tree(in folder: String) -> String { geteuid() == 0 ? folder + "/all" : folder }

    /// Makes the folder of the mount. To be called when no other server can be there.
    func makeMount() throws(ServerError) {
        try Self.make(mount, mode: 0o700, mayExist: true)
        // Earlier versions mounted here.
        try ServerError.telling { try Mount.clear(mount) }
        try makePrivate(mount)
    }

    /// Makes the folder of copies.
    func makeCopies() throws(ServerError) {
        try Self.make(copies, mode: 0o700, mayExist: true)
        try expectOwn(copies)
        try makePrivate(copies)
    }

    private func makePrivate(_ folder: String) throws(ServerError) {
        guard unsafe chmod(folder, 0o700) == 0 else { throw Self.failure(folder) }
        try Self.make(tree(in: folder), mode: 0o755, mayExist: true)
    }

    /// A folder that others can make before us must be ours.
    private func expectOwn(_ path: String) throws(ServerError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw Self.failure(path) }
        guard status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR,
            status.st_mode & 0o022 == 0
        else {
            throw ServerError(.invalid, "\(path) belongs to somebody else: remove it")
        }
    }

    /// Takes away what was there while the server ran.
    package func removeRun() {
        for folder in [copies, mount] {
            unsafe rmdir(tree(in: folder))
            unsafe rmdir(folder)
        }
        // Of one that was killed there may be sockets.
        for name in ComputeFiles.names(in: branches) {
            ComputeFiles.removeFolder("\(branches)/\(name)")
        }
        unsafe rmdir(branches)
        unsafe rmdir(run)
    }

    // MARK: Small files

    package func read(_ name: String) -> String? {
        ComputeFiles.read(path + "/" + name, atMost: 1 << 20).map {
            String(decoding: $0, as: UTF8.self).trimmed
        }
    }

    /// Writes a small file so that it is there whole, also after a loss of power.
    package func write(_ text: String, to name: String, mode: UInt32 = 0o600) throws(ServerError) {
        try ServerError.telling {
            try ComputeFiles.write(text + "\n", to: path + "/" + name, mode: mode)
        }
        for place in [path + "/" + name, path] {
            let file = unsafe open(place, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw Self.failure(place) }
            defer { close(file) }
            guard fsync(file) == 0 else { throw Self.failure("sync \(place)") }
        }
    }

    package func remove(_ name: String) { unsafe unlink(path + "/" + name) }

    /// What was written once and stays; made now where it is missing.
    package func kept(_ name: String, _ make: () -> String) throws(ServerError) -> String {
        if let known = read(name), !known.isEmpty { return known }
        let made = make()
        try write(made, to: name)
        return made
    }

    /// Letters and digits that nobody can guess.
    package static func secret(letters: Int = 24) -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String(
            (0..<letters).map { _ in
                alphabet[Int(SystemEntropy.draw() % UInt64(alphabet.count))]
            }
        )
    }
}

extension String {
    /// Without white space at its ends.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }
}
