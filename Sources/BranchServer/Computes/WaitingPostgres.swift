import CLinux
import DiskIO
import Glibc
import Primitives

/// Two that wait: who forks twice in a row finds another before the first is made anew.
struct WaitingPool {
    private let all: [WaitingPostgres]

    /// Who is just being let in needs the processors.
    private static let pause: UInt64 = 30_000_000

    init(_ options: ComputeOptions) {
        all = (1...2).map { number in
            WaitingPostgres(
                options,
                name: "waiting-\(number)",
                pause: UInt64(number) * Self.pause
            )
        }
    }

    func end() { for one in all { one.end() } }

    /// Has some wait from some time after the last start on.
    func expect(_ wish: WaitingPostgres.Wish) { for one in all { one.expect(wish) } }

    /// Has one go on as a compute whose lock the caller holds; nil where none waits that is just
    /// that. One that is still on its way comes sooner than another that is made beside it.
    func take(
        _ wish: WaitingPostgres.Wish,
        for place: ComputePlace,
        view: [(folder: String, place: String)],
        settings: String,
        note: (String) -> Void
    ) throws(ComputeError) -> ComputeProcess? {
        for isPatient in [false, true] {
            for one in all {
                let process = try one.take(
                    wish,
                    isPatient: isPatient,
                    for: place,
                    view: view,
                    settings: settings,
                    note: note
                )
                if let process { return process }
            }
        }
        return nil
    }
}

/// A PostgreSQL that stands at the reading of its settings until a fork is started: spaces of its
/// own, shell, program and libraries are a third of a start, and need nothing of a branch.
///
/// In the place of its settings it finds a pipe, whose opening lasts until somebody writes. By then
/// it has seen that there is a data folder, an empty one, and no more. To have it go on, the branch
/// and the folder of its compute are put into what it sees, and the settings are written. It reads
/// those once more, by then from their file.
///
/// The thread that makes it stays, since processes end with the thread that made them.
// Safe to share: what changes is guarded by the lock, and the rest is constant.
final class WaitingPostgres: @unchecked Sendable {
    /// What is to wait: as a fork of the branch that was started last would be started.
    struct Wish: Equatable {
        let program: ComputeProgram
        /// When its file was written: another after an upgrade.
        private let written: [UInt8]
        /// The mounts of the system, which it has got.
        private let mounts: [Substring]

        /// Nil where there is no such program.
        init?(_ program: ComputeProgram, postgres: String, mounts: [Substring]) {
            var status = stat()
            guard unsafe stat(postgres, &status) == 0 else { return nil }
            self.program = program
            written = unsafe withUnsafeBytes(of: status.st_mtim) { unsafe Array($0) }
            self.mounts = mounts
        }

        static func == (left: Wish, right: Wish) -> Bool {
            left.program.path == right.program.path
                && left.program.arguments == right.program.arguments
                && left.written == right.written && left.mounts == right.mounts
        }
    }

    private struct Waiting: ~Copyable {
        let process: ComputeProcess
        let wish: Wish
    }

    private let folder: String
    private let options: ComputeOptions
    private let pause: UInt64
    private let clock = SystemClock()
    private let lock = Lock()
    /// Guarded by `lock`, as what follows.
    private var waiting: Waiting?
    private var wish: Wish?
    private var due: UInt64 = 0
    private var isEnded = false
    /// Where what is seen cannot be changed.
    private var isUseless = false
    private var thread: WorkerThread?

    /// From its making to the pipe it is 20 ms, and more where the processors are busy.
    private static let way: UInt64 = 200_000_000
    /// It holds mounts of the system, and has libraries in memory, so it does not wait for ever.
    private static let patienceMilliseconds = 300_000

    /// One that is made some time after a start, with files of a name of its own.
    init(_ options: ComputeOptions, name: String, pause: UInt64) {
        self.options = options
        self.pause = pause
        folder = options.runPath + "/" + name
        clear()
        thread = WorkerThread { [self] in work() }
    }

    private var gate: String { folder + "/" + ComputePlace.settingsFile }
    private var lockPath: String { folder + "/lock" }
    private var branch: String { folder + "/branch" }

    /// Ends what waits, for good.
    func end() {
        let ending = lock.withLock { () -> WorkerThread? in
            isEnded = true
            lock.wakeAll()
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }

    // MARK: What waits

    /// Has one wait from some time after the last start on.
    func expect(_ wish: Wish) {
        lock.withLock {
            guard !isUseless else { return }
            self.wish = wish
            due = clock.monotonic() + pause
            lock.wakeAll()
        }
    }

    private func work() {
        lock.lock()
        defer { lock.unlock() }
        while !isEnded {
            let now = clock.monotonic()
            if wish != nil, now < due {
                lock.wait(atMostMilliseconds: Int((due - now) / 1_000_000) + 1)
            } else if let wish {
                self.wish = nil
                if waits(for: wish) { continue }
                discard()
                waiting = try? make(wish)
            } else {
                lock.wait(atMostMilliseconds: Self.patienceMilliseconds)
                if wish == nil, waiting != nil,
                    clock.monotonic() - due >= UInt64(Self.patienceMilliseconds) * 1_000_000
                {
                    discard()
                }
            }
        }
        discard()
    }

    private func waits(for wish: Wish) -> Bool {
        guard waiting != nil, waiting?.wish == wish else { return false }
        return waiting?.process.wait(atMostMilliseconds: 0).ended == false
    }

    private func make(_ wish: Wish) throws(ComputeError) -> Waiting {
        for path in [folder, branch, branch + "/" + ComputePlace.dataFolder] {
            try ComputeFiles.makeFolder(path, mode: 0o755)
        }
        // PostgreSQL opens it as its own user, whatever the caller's new files are for others.
        guard unsafe mkfifo(gate, 0o644) == 0, unsafe chmod(gate, 0o644) == 0 else {
            throw ComputeFiles.failure("make \(gate)")
        }
        let held = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard held >= 0 else { throw ComputeFiles.failure("open \(lockPath)") }
        defer { close(held) }
        guard flock(held, LOCK_EX | LOCK_NB) == 0 else {
            throw ComputeFiles.failure("lock \(lockPath)")
        }
        var program = wish.program
        // The first is below what the second hides.
        program.view = [(branch, options.mountPath), (folder, options.runPath)]
        program.keep = held
        return Waiting(process: try ComputeProcess(program), wish: wish)
    }

    private func discard() {
        if let old = waiting.take() { Self.end(old.process) }
        clear()
    }

    private static func end(_ process: borrowing ComputeProcess) {
        kill(process.id, SIGKILL)
        _ = ComputeProcess.reap(process.id)
    }

    /// Also what a server left that was killed.
    private func clear() {
        unsafe rmdir(branch + "/" + ComputePlace.dataFolder)
        unsafe rmdir(branch)
        ComputeFiles.removeFolder(folder)
    }

    // MARK: What it becomes

    /// Has what waits go on as a compute whose lock the caller holds; nil where nothing waits that
    /// is just that. Where that cannot be done here, it is said once.
    ///
    /// - Parameter isPatient: Whether to wait for one that is still on its way.
    func take(
        _ wish: Wish,
        isPatient: Bool,
        for place: ComputePlace,
        view: [(folder: String, place: String)],
        settings: String,
        note: (String) -> Void
    ) throws(ComputeError) -> ComputeProcess? {
        lock.lock()
        defer { lock.unlock() }
        guard let writer = openGate(to: wish, isPatient) else { return nil }
        // With an end to read of our own, a write finds a reader whatever happens.
        let reader = unsafe open(gate, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer {
            close(writer)
            if reader >= 0 { close(reader) }
        }
        guard let taken = waiting.take() else { return nil }
        let process = taken.process
        if let reason = Self.show(view, process) {
            Self.end(process)
            isUseless = true
            note("no PostgreSQL waits for the next fork: \(reason)")
            return nil
        }
        // Its processes hold it already.
        guard unsafe rename(lockPath, place.lock) == 0 else {
            Self.end(process)
            return nil
        }
        let bytes = Array(settings.utf8)
        guard reader >= 0, unsafe write(writer, bytes, bytes.count) == bytes.count else {
            Self.end(process)
            throw ComputeFiles.failure("write \(gate)")
        }
        return process
    }

    /// The pipe at which it stands.
    private func openGate(to wish: Wish, _ isPatient: Bool) -> Int32? {
        let start = clock.monotonic()
        while waits(for: wish) {
            let writer = unsafe open(gate, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            if writer >= 0 { return writer }
            guard isPatient, errno == ENXIO, clock.monotonic() - start < Self.way else {
                return nil
            }
            usleep(200)
        }
        return nil
    }

    /// Returns why it could not be done; nil where it was.
    private static func show(
        _ view: [(folder: String, place: String)],
        _ process: borrowing ComputeProcess
    ) -> String? {
        unsafe CStrings.withArray(view.flatMap { [$0.folder, $0.place] }) { binds in
            var change = unsafe oxbow_view()
            unsafe change.process = process.end
            unsafe change.binds = CStrings.constant(binds)
            if unsafe oxbow_show(&change) == 0 { return nil }
            let step = unsafe change.failed_step.map { unsafe String(cString: $0) } ?? ""
            return "\(step): \(unsafe String(cString: strerror(change.error)))"
        }
    }
}
