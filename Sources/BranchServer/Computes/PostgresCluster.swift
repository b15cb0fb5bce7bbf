import Glibc
import Volume

/// The making of a cluster in a branch.
///
/// It is made beside the place where computes look for one, and gets that name when it is whole,
/// in one record of the store: whatever ends the server before, the branch has no cluster, and the
/// next server begins anew, where it takes away what was made.
struct PostgresCluster {
    let place: ComputePlace
    /// The branch's.
    let name: String
    let files: BranchFiles
    /// Is told of each name that was given or taken in the branch's first folder.
    let changed: (FileName, InodeNumber) -> Void

    /// Arguments: the folder, that of the programs, the role, the file of the password and that
    /// of the first settings. `initdb` syncs nothing: on a mount of ours one sync of one file is
    /// a sync of all.
    private static let script = """
        set -e
        umask 077
        find "$1" -mindepth 1 -delete
        "$2/initdb" -D "$1" -k --wal-segsize=4 -E UTF8 --locale=C.UTF-8 -U "$3" --pwfile="$4" \
            --auth=scram-sha-256 --no-sync --no-instructions
        cat "$5" > "$1/postgresql.conf"
        """

    func initialize(
        with installation: PostgresInstallation,
        password: String
    ) throws(ComputeError) {
        guard !password.isEmpty, !password.utf8.contains(where: { $0 == 10 || $0 == 0 }) else {
            throw ComputeError(.invalid, "a password is one line")
        }
        try makeFolder()
        try run(installation, password)
        try finish()
    }

    private func run(
        _ installation: PostgresInstallation,
        _ password: String
    ) throws(ComputeError) {
        let secret = place.sockets + "/password"
        try ComputeFiles.write(password + "\n", to: secret, mode: 0o600, owner: place.user)
        defer { unsafe unlink(secret) }
        try ComputeFiles.write(PostgresSettings.initial, to: place.folder + "/initial.conf")
        let arguments = [
            "-c", Self.script, "initialize", place.seenUnfinished(name), installation.folder,
            place.options.role, place.seenSockets + "/password",
            place.seenFolder + "/initial.conf",
        ]
        let (said, status) = try ComputeProcess.run(
            place.program("/bin/sh", arguments, on: name)
        )
        guard status.code == 0 else {
            throw ComputeError(.failed, "initdb in \(name) \(status):\n\(said)")
        }
    }

    // MARK: The volume

    /// The branch's first folder is root's, and nobody else makes anything there: so the folder
    /// for the data is made in the volume, and named there.
    private func makeFolder() throws(ComputeError) {
        // What stands in the place of a cluster, and is none, is somebody's.
        if let other = try find(ComputePlace.dataFolder), other.size > 0 {
            let data = "\(name)/\(ComputePlace.dataFolder)"
            throw ComputeError(.invalid, "\(data) is there, and no cluster: move it away")
        }
        if let old = try find(ComputePlace.unfinishedFolder) {
            guard old.kind == .folder else {
                let path = "\(name)/\(ComputePlace.unfinishedFolder)"
                throw ComputeError(.invalid, "\(path) is no folder: move it away")
            }
            return
        }
        let (owner, group) = place.user.map { ($0.id, $0.group) } ?? (geteuid(), getegid())
        try inVolume { () throws(VolumeError) in
            let folder = try FileName(ComputePlace.unfinishedFolder)
            let ownership = Ownership(permissions: 0o700, owner: owner, group: group)
            try files.makeFolder(folder, in: .root, ownership)
            changed(folder, .root)
        }
    }

    private func finish() throws(ComputeError) {
        try inVolume { () throws(VolumeError) in
            let old = try FileName(ComputePlace.unfinishedFolder)
            let new = try FileName(ComputePlace.dataFolder)
            try files.rename(old, in: .root, to: new, in: .root)
            for name in [old, new] { changed(name, .root) }
            try files.sync()
        }
    }

    private func find(_ name: String) throws(ComputeError) -> Attributes? {
        try inVolume { () throws(VolumeError) in
            do throws(VolumeError) {
                return try files.attributes(of: files.lookUp(FileName(name), in: .root))
            } catch {
                guard error.kind == .notFound else { throw error }
                return nil
            }
        }
    }

    private func inVolume<Value>(
        _ body: () throws(VolumeError) -> Value
    ) throws(ComputeError) -> Value {
        do throws(VolumeError) { return try body() } catch {
            throw ComputeError(.failed, "make a cluster in \(name): \(error.message)")
        }
    }
}
