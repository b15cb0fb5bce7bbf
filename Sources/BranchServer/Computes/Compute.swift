import CLinux
import DiskIO
import Glibc
import Primitives

// Safe to share: what changes is guarded by the lock, but for what only the compute's thread uses.
/// One compute: its machine, and the thread that does what the machine says.
///
/// The thread is there while the compute is not down. It starts the processes, so they end with
/// it and with the server; it reads what they say and learns of their end.
final class Compute: @unchecked Sendable {
    let place: ComputePlace
    let log: ComputeLog
    private let owner: Computes
    private let clock = SystemClock()
    private let lock = Lock()
    /// Guarded by `lock`, as all that follows. The branch's name and more may change.
    private var target: ComputeTarget
    private var machine: ComputeMachine
    private var hasThread = false
    /// The first process, from its start until its end is known.
    private var process: pid_t?
    private var startCount = 0
    private var lastStart = ComputeStart()
    /// Wakes the thread; readable when somebody did.
    private let alarm: Int32

    init(_ target: ComputeTarget, _ place: ComputePlace, _ owner: Computes) throws(ComputeError) {
        self.target = target
        self.place = place
        self.owner = owner
        log = ComputeLog(place.logs)
        machine = ComputeMachine(Self.limits(target, place.options))
        alarm = oxbow_make_alarm()
        guard alarm >= 0 else { throw ComputeFiles.failure("make an event") }
    }

    deinit { Glibc.close(alarm) }

    // MARK: From any thread

    private static func limits(
        _ target: ComputeTarget,
        _ options: ComputeOptions
    ) -> ComputeMachine.Limits {
        let seconds: Int? =
            switch target.idle {
            case .never: nil
            case .after(let seconds): seconds
            case nil: options.idleSeconds
            }
        return ComputeMachine.Limits(
            idle: seconds.map { UInt64($0) * ComputeMachine.second },
            start: UInt64(options.startSeconds) * ComputeMachine.second
        )
    }

    /// Asks for it, which starts it where it is not running. Then ``wait()``.
    func request(_ newTarget: ComputeTarget) {
        lock.withLock {
            target = newTarget
            machine.limits = Self.limits(newTarget, place.options)
            handle(.request)
        }
    }

    /// Waits until it lets sessions in.
    func wait() throws(ComputeError) -> ComputeLease {
        lock.lock()
        defer { lock.unlock() }
        while true {
            switch machine.phase {
            case .ready: return ComputeLease(self)
            case .failed(let reason, _):
                handle(.release)
                throw ComputeError(refusal ?? .failed, reason)
            case .down where machine.isClosed:
                handle(.release)
                throw ComputeError(
                    .gone,
                    "the compute was stopped for a change of its branch: try again, by the name "
                        + "that it has now"
                )
            // Stopped while it started: once more.
            case .down:
                handle(.release)
                handle(.request)
            case .starting, .stopping, .resting: lock.wait()
            }
        }
    }

    func release() { lock.withLock { handle(.release) } }

    func touch() {
        lock.withLock {
            guard machine.phase == .ready else { return }
            handle(.request)
            handle(.release)
        }
    }

    /// Whether it is to be stopped before it was started.
    var isGivenUp: Bool { lock.withLock { !machine.isStarting } }

    var isReady: Bool { lock.withLock { machine.phase == .ready } }

    /// Ends it for good, and waits until its last process is gone. At once where nobody needs its
    /// files any more: without a checkpoint.
    func close(atOnce: Bool = false) {
        // Others than the first process end with it where they have a space of their own.
        let step: ComputeMachine.StopStep =
            atOnce ? (place.isIsolated ? .kill : .quit) : .interrupt
        lock.withLock {
            handle(.close(step))
            while hasThread { lock.wait() }
        }
    }

    /// Begins to end it where nobody uses it; returns whether.
    func retire() -> Bool {
        lock.withLock {
            guard machine.phase == .ready, machine.wanted == 0 else { return false }
            handle(.stop)
            return true
        }
    }

    /// Whether it is a moment's that is over, so that nothing of it need be kept.
    var isSpent: Bool {
        lock.withLock { target.isMoment && !hasThread && machine.wanted == 0 }
    }

    /// Since when nobody has used it; nil where somebody does or it is not ready.
    var idleSince: UInt64? { lock.withLock { machine.phase == .ready ? machine.idleSince : nil } }

    var status: ComputeStatus {
        lock.withLock {
            ComputeStatus(
                key: place.key,
                state: machine.state,
                sessions: machine.wanted,
                process: process,
                starts: startCount,
                lastStart: lastStart
            )
        }
    }

    // MARK: With the lock held

    private var refusal: ComputeError.Kind?

    private func handle(_ event: ComputeMachine.Event) {
        for action in machine.handle(event, at: clock.monotonic()) {
            switch action {
            case .wake: lock.wakeAll()
            case .signal(let step): signal(step)
            case .launch:
                refusal = nil
                if hasThread { continue }
                hasThread = true
                WorkerThread.detached { [self] in work() }
            }
        }
        oxbow_ring(alarm)
    }

    private func signal(_ step: ComputeMachine.StopStep) {
        guard let process else { return }
        switch step {
        case .interrupt: kill(process, SIGINT)
        case .quit: kill(process, SIGQUIT)
        case .kill: kill(process, SIGKILL)
        }
    }

    // MARK: The thread

    private func work() {
        var hasSlot = false
        while true {
            do throws(ComputeError) {
                if !hasSlot { try owner.takeSlot(for: self) }
                hasSlot = true
                try run()
            } catch {
                lock.withLock {
                    refusal = error.kind
                    handle(.refused(error.message))
                }
            }
            if rest() { continue }
            if hasSlot { owner.giveSlot() }
            hasSlot = false
            let isOver = lock.withLock { () -> Bool in
                // Somebody may have come in between.
                if case .starting = machine.phase { return false }
                hasThread = false
                lock.wakeAll()
                return true
            }
            if isOver { return }
        }
    }

    /// Waits for the end of a rest. Returns whether there is something to start.
    private func rest() -> Bool {
        lock.withLock {
            while case .resting(let until) = machine.phase {
                let now = clock.monotonic()
                if now < until { lock.wait(atMostMilliseconds: Int((until - now) / 1_000_000) + 1) }
                handle(.timer)
            }
            if case .starting = machine.phase { return true }
            return false
        }
    }

    /// Starts it once and stays until its end.
    private func run() throws(ComputeError) {
        var launch = try ComputeLaunch(lock.withLock { target }, place, owner.installed, clock)
        defer { launch.end() }
        let awake = AwakeProcessors(from: clock.monotonic())
        let process = try launch.start(owner.waiting) { log.append(Array("oxbow: \($0)\n".utf8)) }
        launch.times.spawned = clock.monotonic()
        lock.withLock {
            self.process = process.id
            startCount += 1
            // Asked to end before there was something to ask.
            if case .stopping(let step, _) = machine.phase { signal(step) }
        }
        watch(process, &launch, awake)
        while let more = process.read(), !more.isEmpty { log.append(more) }
        lock.withLock {
            let status = ComputeProcess.reap(process.id)
            self.process = nil
            log.append(Array("oxbow: PostgreSQL \(status)\n".utf8))
            handle(.exited("PostgreSQL \(status); it said last:\n\(log.lastLines)"))
        }
    }

    /// Reads what it says, which tells when it opens, and keeps the machine's time. It knocks, too,
    /// but seldom: each knock is a process of PostgreSQL's, at a time when it has enough to do.
    private func watch(
        _ process: borrowing ComputeProcess,
        _ launch: inout ComputeLaunch,
        _ awake: consuming AwakeProcessors
    ) {
        var knocks = Knocks(from: clock.monotonic(), isPatient: launch.promotes)
        var isToPromote = launch.promotes
        while true {
            let now = clock.monotonic()
            awake.look(at: now, opened: launch.times.ready)
            let (isStarting, deadline, look) = lock.withLock {
                (machine.isStarting, machine.deadline ?? now + ComputeMachine.second, machine.look)
            }
            let next = min(
                deadline,
                isStarting ? knocks.next : now + look,
                awake.deadline ?? deadline
            )
            let pause = next > now ? (next - now + 999_999) / 1_000_000 : 0
            let (ended, said) = process.wait(
                atMostMilliseconds: Int32(min(1000, pause)),
                or: alarm
            )
            if said, let bytes = process.read() {
                log.append(bytes)
                if isToPromote, Self.says("entering standby mode", bytes) {
                    isToPromote = false
                    launch.promote(process.id)
                }
                if isStarting, Self.says("database system is ready to accept", bytes) {
                    opened(&launch)
                }
            }
            if ended { return }
            oxbow_still(alarm)
            if isStarting, clock.monotonic() >= knocks.next {
                knock(&knocks, &launch)
                // What it said may have come in pieces.
                if launch.promotes, lock.withLock({ machine.isStarting }) {
                    launch.promote(process.id)
                }
            }
            if !isStarting { launch.expectWholeWrites() }
            lock.withLock {
                if machine.isDue(clock.monotonic()) { handle(.timer) }
                // Who is just being started ignores it.
                if case .stopping(let step, _) = machine.phase { signal(step) }
            }
        }
    }

    /// In English, since `lc_messages` is set.
    private static func says(_ words: String, _ bytes: [UInt8]) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains(words)
    }

    private func knock(_ knocks: inout Knocks, _ launch: inout ComputeLaunch) {
        let answer = PostgresProbe.knock(
            place.socketPath,
            role: place.options.role
        )
        knocks.knocked(at: clock.monotonic())
        if answer == .welcome { opened(&launch) }
    }

    private func opened(_ launch: inout ComputeLaunch) {
        let isNew = lock.withLock {
            // It may have been heard already, or be on its way out.
            guard machine.isStarting else { return false }
            launch.times.ready = clock.monotonic()
            lastStart = launch.times.start
            handle(.accepting)
            return true
        }
        // Not under the lock: it may wait for one that is just being made.
        if isNew { launch.expectNext(owner.waiting) }
    }
}

/// When to knock next, in case that the log does not say that it opens.
private struct Knocks {
    private(set) var next: UInt64
    private var pause: UInt64

    /// Who is promoted takes nobody for a while, and would log each knock.
    init(from now: UInt64, isPatient: Bool) {
        pause = isPatient ? 4_000_000_000 : 250_000_000
        next = now + pause
    }

    /// A quarter of a second at first, a second in the end.
    mutating func knocked(at now: UInt64) {
        pause = min(1_000_000_000, pause * 2)
        next = now + pause
    }
}

extension ComputeMachine {
    var isStarting: Bool { if case .starting = phase { true } else { false } }

    /// How long nobody needs to look at it at most, but while it starts.
    var look: UInt64 {
        if case .stopping = phase { Self.second / 10 } else { Self.second }
    }

    func isDue(_ now: UInt64) -> Bool { deadline.map { now >= $0 } ?? false }

    var state: ComputeStatus.State {
        switch phase {
        case .down: .down
        case .starting, .resting: .starting
        case .ready: .ready
        case .stopping: .stopping
        case .failed: .failed
        }
    }
}
