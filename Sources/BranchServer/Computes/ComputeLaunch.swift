import DiskIO
import Glibc

/// All that comes before the process of one start, and is given back after it.
struct ComputeLaunch {
    let program: ComputeProgram
    var times: ComputeTimes
    private let settings: PostgresSettings
    private let place: ComputePlace
    private let target: ComputeTarget
    private let data: String
    /// What its settings file says.
    private let written: String
    /// What would do if it waited, and what is to wait from now on.
    private var wish, nextWish: WaitingPostgres.Wish?
    private let lock: Int32
    private let discard: @Sendable () -> Void
    /// Whether `full_page_writes` is off, and is to be on with the first cut write.
    private var trustsWrites: Bool

    init(
        _ target: ComputeTarget,
        _ place: ComputePlace,
        _ installed: [PostgresInstallation],
        _ clock: SystemClock
    ) throws(ComputeError) {
        times = ComputeTimes(began: clock.monotonic())
        try place.make()
        lock = try place.takeLock()
        var discard: @Sendable () -> Void = {}
        do throws(ComputeError) {
            let name: String
            switch target.files {
            case .branch(let own): name = own
            case .moment(let make):
                let fork = try Self.fork(make)
                name = fork.name
                discard = fork.discard
            }
            times.found = clock.monotonic()
            let found = try Self.look(target, place, on: name, installed)
            times.looked = clock.monotonic()
            let version = try PostgresInstallation.matching(found.version, among: installed)
            trustsWrites =
                found.hasChecksums && !found.setsFullPageWrites && !target.hasCutBlocks()
            var settings = PostgresSettings(
                version: found.version,
                writesFullPages: !trustsWrites
            )
            settings.isMoment = target.isMoment
            settings.isFork = target.isFork || found.isFresh
            settings.promotes = found.promotes
            settings.megabytes = place.options.megabytesEach
            settings.floors = PostgresSettings.floors(found.control)
            if let megabytes = PostgresSettings.segmentMegabytes(found.control) {
                settings.segmentMegabytes = megabytes
            }
            self.settings = settings
            data = place.seenData(name)
            try ComputeFiles.write(PostgresSettings.hba, to: place.folder + "/hba.conf")
            try ComputeFiles.write("", to: place.folder + "/ident.conf")
            written = settings.file(data: data, fullPageWrites: !trustsWrites)
            try ComputeFiles.write(written, to: place.settings)
            let isUnsettled = target.isMoment && found.isUnsettled
            var program = Self.program(place, version, settings, data, name, isUnsettled)
            program.keep = lock
            self.program = program
            if place.isIsolated, !target.isMoment {
                let postgres = version.program("postgres")
                let mounts = OtherMounts.kept
                wish = WaitingPostgres.Wish(program, postgres: postgres, mounts: mounts)
                settings.isFork = true
                settings.promotes = false
                let fork = Self.program(place, version, settings, data, name)
                nextWish = WaitingPostgres.Wish(fork, postgres: postgres, mounts: mounts)
            }
        } catch {
            discard()
            close(lock)
            throw error
        }
        self.discard = discard
        self.target = target
        self.place = place
    }

    /// Makes the process, or has the one that waits for this go on.
    func start(
        _ waiting: WaitingPool?,
        note: (String) -> Void
    ) throws(ComputeError) -> ComputeProcess {
        if let wish, let waiting {
            let process = try waiting.take(
                wish,
                for: place,
                view: program.view ?? [],
                settings: written,
                note: note
            )
            if let process { return process }
        }
        return try ComputeProcess(program)
    }

    /// Sees that the next fork finds one that waits.
    func expectNext(_ waiting: WaitingPool?) {
        if let nextWish { waiting?.expect(nextWish) }
    }

    /// Gives back what was taken. The lock stays taken while a process of the compute has it.
    func end() {
        close(lock)
        discard()
    }

    private static func look(
        _ target: ComputeTarget,
        _ place: ComputePlace,
        on name: String,
        _ installed: [PostgresInstallation]
    ) throws(ComputeError) -> PostgresPreflight {
        let known: PostgresPreflight?
        do { known = try target.look(name, target.isMoment) } catch {
            throw ComputeError(.failed, "look at \(name): \(error)")
        }
        if let known {
            try known.expectSound(name: name, home: place.seenBranch(name))
            return known
        }
        return try PostgresPreflight.run(
            place,
            on: name,
            isMoment: target.isMoment,
            installed: installed
        )
    }

    private static func fork(
        _ make: @Sendable () throws -> ComputeFork
    ) throws(ComputeError) -> ComputeFork {
        do { return try make() } catch {
            throw ComputeError(.failed, "fork the moment: \(error)")
        }
    }

    /// In a space of processes of its own a shell is the first: PostgreSQL takes each process that
    /// it must bury for one of its own, and one that ended badly for a crash.
    private static let first = """
        "$@" &
        postgres=$!
        trap 'kill -INT $postgres' INT
        trap 'kill -QUIT $postgres' QUIT
        trap 'kill -HUP $postgres' HUP
        trap 'kill -USR1 $postgres' USR1
        while :; do
            wait $postgres
            status=$?
            kill -0 $postgres 2>/dev/null || exit $status
        done
        """

    /// A standby that would open before its log is redone is recovered first as after a crash, and
    /// stopped: then all is redone when it opens. Without the signal, which stands there already.
    private static let settled = #"""
        postgres=$1 signal=$3/standby.signal
        shift
        rmdir "$signal" && "$postgres" --single "$@" template1 </dev/null >/dev/null
        "${postgres%/*}/pg_controldata" "$2" | grep -q '^Database cluster state: *shut down$' &&
            mkdir -m 700 "$signal" || exit 1
        set -- "$postgres" "$@"

        """#

    private static func program(
        _ place: ComputePlace,
        _ version: PostgresInstallation,
        _ settings: PostgresSettings,
        _ data: String,
        _ name: String,
        _ isUnsettled: Bool = false
    ) -> ComputeProgram {
        let postgres = version.program("postgres")
        let arguments = settings.arguments(
            data: data,
            sockets: place.seenSockets,
            folder: place.seenFolder
        )
        guard place.isIsolated || isUnsettled else {
            return place.program(postgres, arguments, on: name)
        }
        let script = (isUnsettled ? settled : "") + (place.isIsolated ? first : #"exec "$@""#)
        return place.program("/bin/sh", ["-c", script, "compute", postgres] + arguments, on: name)
    }

    /// Whether it says that it redoes its log, and is to be told when to end that.
    var promotes: Bool { settings.promotes }

    /// Has it end its recovery when its log is redone. May be done more than once.
    func promote(_ process: pid_t) {
        do { try target.promote() } catch { return }
        kill(process, SIGUSR1)
    }

    /// Turns `full_page_writes` on where a block came in pieces, and makes a checkpoint: only what
    /// is changed after one is logged whole.
    mutating func expectWholeWrites() {
        guard trustsWrites, target.hasCutBlocks() else { return }
        trustsWrites = false
        let text = settings.file(data: data, fullPageWrites: true)
        try? ComputeFiles.write(text, to: place.settings)
        let (path, role) = (place.socketPath, place.options.role)
        _ = PostgresProbe.run("SELECT pg_reload_conf()", at: path, role: role)
        for _ in 0..<50
        where PostgresProbe.run("SHOW full_page_writes", at: path, role: role) != "on" {
            // It has ended meanwhile: its next start has it on from the beginning.
            if unsafe access(path, F_OK) != 0 { return }
            usleep(20_000)
        }
        _ = PostgresProbe.run("CHECKPOINT", at: path, role: role)
    }
}

/// The monotonic times of one start.
struct ComputeTimes {
    let began: UInt64
    var found: UInt64 = 0
    var looked: UInt64 = 0
    var spawned: UInt64 = 0
    var ready: UInt64 = 0

    init(began: UInt64) { self.began = began }

    var start: ComputeStart {
        func microseconds(_ from: UInt64, _ to: UInt64) -> Int { Int((to - from) / 1000) }
        return ComputeStart(
            filesMicroseconds: microseconds(began, found),
            preflightMicroseconds: microseconds(found, looked),
            spawnMicroseconds: microseconds(looked, spawned),
            postgresMicroseconds: microseconds(spawned, ready)
        )
    }
}

/// How long the steps of a start took.
public struct ComputeStart: Sendable, Equatable {
    /// To take the lock, and for a moment to fork it.
    public var filesMicroseconds = 0
    /// To look at the data folder.
    public var preflightMicroseconds = 0
    /// To write settings and to make the process.
    public var spawnMicroseconds = 0
    /// From then until PostgreSQL let a session in.
    public var postgresMicroseconds = 0
}

/// What a compute does.
public struct ComputeStatus: Sendable {
    /// Where it is in its life.
    public enum State: String, Sendable { case down, starting, ready, stopping, failed }

    /// Its target's key.
    public let key: String
    /// Where it is in its life.
    public let state: State
    /// How many use it, or wait for it.
    public let sessions: Int
    /// Its first process.
    public let process: Int32?
    /// How often it was started by this server.
    public let starts: Int
    /// The steps of the last start that was successful.
    public let lastStart: ComputeStart
}
