import Glibc

/// The making of a cluster in a branch.
enum PostgresCluster {
    /// Arguments: the folder, that of the programs, the role, the file of the password and that
    /// of the first settings. `initdb` syncs nothing: on a mount of ours one sync of one file is
    /// a sync of all.
    private static let script = """
        set -e
        umask 077
        "$2/initdb" -D "$1" -k --wal-segsize=4 -E UTF8 --locale=C.UTF-8 -U "$3" --pwfile="$4" \
            --auth=scram-sha-256 --no-sync --no-instructions
        cat "$5" > "$1/postgresql.conf"
        sync "$1/PG_VERSION"
        """

    static func initialize(
        _ place: ComputePlace,
        on name: String,
        with installation: PostgresInstallation,
        password: String
    ) throws(ComputeError) {
        guard !password.isEmpty, !password.utf8.contains(where: { $0 == 10 || $0 == 0 }) else {
            throw ComputeError(.invalid, "a password is one line")
        }
        try makeFolder(place, on: name)
        let secret = place.sockets + "/password"
        try ComputeFiles.write(password + "\n", to: secret, mode: 0o600, owner: place.user)
        defer { unsafe unlink(secret) }
        try ComputeFiles.write(PostgresSettings.initial, to: place.folder + "/initial.conf")
        let arguments = [
            "-c", script, "initialize", place.seenData(name), installation.folder,
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

    /// The branch's first folder is root's, so root makes the one for the data: made, or found as
    /// no link, and seen without the rest of the mount, so that nothing leads elsewhere.
    private static func makeFolder(_ place: ComputePlace, on name: String) throws(ComputeError) {
        let script = """
            { [ -d "$1" ] && [ ! -L "$1" ] || mkdir -m 700 "$1"; } &&
                { [ -z "$2" ] || chown -h "$2" "$1"; }
            """
        let owner = place.user.map { "\($0.id):\($0.group)" } ?? ""
        var program = place.program(
            "/bin/sh",
            ["-c", script, "make", place.seenData(name), owner],
            on: name
        )
        program.user = nil
        let (said, status) = try ComputeProcess.run(program)
        guard status.code == 0 else {
            throw ComputeError(.invalid, "make \(name)/\(ComputePlace.dataFolder): \(said)")
        }
    }
}
