/// What a data folder says before PostgreSQL is started on it, and what is put right there.
///
/// A script does it, as the compute's user and where the compute will be: a link that somebody
/// put into a branch leads the server nowhere, since the server never goes there.
package struct PostgresPreflight: Sendable, Equatable {
    package private(set) var version = 0
    /// Links that PostgreSQL would follow, and where they end.
    private(set) var links: [(name: String, end: String)] = []
    /// Files that make it wait for another server.
    private(set) var signals: [String] = []
    /// Whether this is the first start of a fork.
    package private(set) var isFresh = false
    /// Transactions that were prepared and not ended: they hold their locks in a fork, too.
    package private(set) var preparedCount = 0
    /// Whether it is to be started as a standby and promoted when it has redone its log: then it
    /// lets sessions in before it has written what it redid.
    package private(set) var promotes = false
    /// Whether a standby would open before its log is redone: the control file names a point that
    /// is to be reached, or a backup's end. After a promotion that is so until its first
    /// checkpoint has ended. A recovery as after a crash goes to the end of the log all the same.
    package private(set) var isUnsettled = false
    /// Whether the branch's own files set `full_page_writes`.
    package private(set) var setsFullPageWrites = false
    /// What `pg_controldata` says.
    package private(set) var control: [String: String] = [:]

    package var hasChecksums: Bool {
        (control["Data page checksum version"].flatMap { Int($0) } ?? 0) > 0
    }

    package static func == (one: Self, other: Self) -> Bool {
        one.version == other.version && one.control == other.control
            && one.links.map(\.name) == other.links.map(\.name)
    }

    /// Arguments: the folder, `branch` or `moment`, the key, and `VERSION=FOLDER` of programs.
    ///
    /// What it changes, it changes where nobody runs: the compute's lock is held. The slots of a
    /// fork are its parent's: they would keep its log for somebody who never comes to fetch it.
    ///
    /// A moment's `standby.signal` is a folder: PostgreSQL takes that for the signal, and cannot
    /// remove it, which it does first in a promotion, whoever asks for one. So that fails, and
    /// ends the compute.
    static let script = """
        own='\(ownSignal)'
        cd -P "$1" 2>/dev/null || { echo missing; exit 0; }
        kind=$2 key=$3
        shift 3
        read -r version < PG_VERSION || { echo missing; exit 0; }
        echo "version $version"
        for name in * pg_tblspc/*; do
            [ ! -L "$name" ] || echo "link $name $(readlink -m "$name")"
        done
        control=
        for program; do
            [ "${program%%=*}" != "$version" ] ||
                control=$("${program#*=}/pg_controldata" -D . 2>&1)
        done
        echo "$control"
        unsettled=
        if [ -e backup_label ] || echo "$control" | grep -q \
            -e '^Minimum recovery ending location:.*[1-9A-F]' \
            -e '^Backup start location:.*[1-9A-F]' -e '^Backup end location:.*[1-9A-F]' \
            -e '^End-of-backup record required:.*yes'
        then
            unsettled=yes
            echo unsettled
        fi
        for name in standby.signal recovery.signal recovery.conf; do
            [ "$kind" = branch ] && [ -e $name ] || continue
            if [ $name = standby.signal ] && grep -qsx "$own" $name; then
                if [ "$unsettled" ]; then rm -f $name; else echo promotes; fi
            else
                echo "signal $name"
            fi
        done
        owner=
        [ ! -f oxbow.branch ] || read -r owner < oxbow.branch
        if [ "$owner" != "$key" ]; then
            rm -rf pg_replslot/*
            echo "$key" > oxbow.branch
            [ -z "$owner" ] || echo fresh
        fi
        [ ! -e postmaster.pid ] || rm -f postmaster.pid
        [ "$kind" = branch ] || [ -d standby.signal ] ||
            { rm -f standby.signal && mkdir -m 700 standby.signal; }
        for name in pg_twophase/*; do [ ! -f "$name" ] || echo prepared; done
        ! grep -qis '^[[:space:]]*full_page_writes' postgresql.conf postgresql.auto.conf ||
            echo full_page_writes
        """

    /// What stands in a `standby.signal` of the server's own.
    static let ownSignal = "oxbow: until it is promoted"

    package init(_ said: String, control known: [String: String] = [:]) {
        control = known
        for line in said.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            switch (words.first, words.count) {
            case ("version", 2): version = Int(words[1]) ?? 0
            case ("link", 3): links.append((words[1], words[2]))
            case ("signal", 2): signals.append(words[1])
            case ("fresh", 1): isFresh = true
            case ("prepared", 1): preparedCount += 1
            case ("promotes", 1): promotes = true
            case ("unsettled", 1): isUnsettled = true
            case ("full_page_writes", 1): setsFullPageWrites = true
            default:
                guard let colon = line.firstIndex(of: ":") else { continue }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                control[String(line[..<colon])] = String(value)
            }
        }
    }

    /// Looks at a folder, puts right what a fork must not have, and refuses what cannot be.
    static func run(
        _ place: ComputePlace,
        on name: String,
        isMoment: Bool,
        installed: [PostgresInstallation]
    ) throws(ComputeError) -> PostgresPreflight {
        let arguments =
            ["-c", script, "preflight", place.seenData(name), isMoment ? "moment" : "branch"]
            + [place.key] + installed.map { "\($0.version)=\($0.folder)" }
        let (said, status) = try ComputeProcess.run(
            place.program("/bin/sh", arguments, on: name),
            atMostMilliseconds: 30_000
        )
        guard status.code == 0 else {
            throw ComputeError(.failed, "look at \(name)/\(ComputePlace.dataFolder): \(said)")
        }
        let found = PostgresPreflight(said)
        try found.expectSound(name: name, home: place.seenBranch(name))
        return found
    }

    /// What the script says of a folder that nobody else sees otherwise, run as ourselves.
    package static func said(
        in folder: String,
        isMoment: Bool,
        key: String,
        programs: [String]
    ) throws(ComputeError) -> String {
        let arguments = ["-c", script, "preflight", folder, isMoment ? "moment" : "branch", key]
        return try ComputeProcess.run(
            ComputeProgram(path: "/bin/sh", arguments: arguments + programs)
        ).said
    }

    /// All that is decided by, in words.
    package var facts: [String] {
        let settings = PostgresSettings.floors(control).map { "\($0.key) \($0.value)" }
        let segment = PostgresSettings.segmentMegabytes(control).map { "segment \($0)" }
        return ["version \(version)", "prepared \(preparedCount)", "checksums \(hasChecksums)"]
            + [segment].compactMap { $0 }
            + links.map { "link \($0.name)" } + signals.map { "signal \($0)" } + settings.sorted()
            + (isFresh ? ["fresh"] : []) + (promotes ? ["promotes"] : [])
            + (isUnsettled ? ["unsettled"] : [])
            + (setsFullPageWrites ? ["full_page_writes"] : [])
    }

    package func expectSound(name: String, home: String) throws(ComputeError) {
        let data = "\(name)/\(ComputePlace.dataFolder)"
        guard version > 0 else {
            throw ComputeError(.invalid, "there is no PostgreSQL in \(data): initialize it first")
        }
        for (link, end) in links where !(end + "/").hasPrefix(home + "/") {
            throw ComputeError(
                .invalid,
                "\(data)/\(link) leads out of the branch, to \(end): a fork would share it. Move "
                    + "what is there into the branch (for a tablespace: "
                    + "`ALTER TABLE ... SET TABLESPACE pg_default`, then drop it)"
            )
        }
        if let signal = signals.first {
            throw ComputeError(
                .invalid,
                "\(data)/\(signal) says that this is a copy in the middle of a recovery: remove "
                    + "it to make it a server of its own"
            )
        }
    }
}
