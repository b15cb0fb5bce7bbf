/// What a compute does next. Pure: an event goes in, actions come out, the clock is an argument.
///
///     down --request--> starting --accepting--> ready --idle, stop--> stopping --exited--> down
///                          |  ^                   |                      |
///                          |  +----resting <------+ exited               +--exited, wanted-->
///                          v        (back-off)                                    starting
///                        failed --request, a while later--> starting
package struct ComputeMachine: Sendable {
    package enum Phase: Sendable, Equatable {
        case down
        case starting(until: UInt64)
        case ready
        case stopping(StopStep, until: UInt64)
        /// Before it is started once more after a crash.
        case resting(until: UInt64)
        case failed(String, retryFrom: UInt64)
    }

    /// How firmly it is asked to end.
    package enum StopStep: Sendable, Equatable { case interrupt, quit, kill }

    package enum Event: Sendable, Equatable {
        /// Somebody wants a session.
        case request
        /// A session, or the wish for one, is over.
        case release
        /// It lets sessions in.
        case accepting
        /// Its processes are gone; with what it said last.
        case exited(String)
        /// It cannot be started at all.
        case refused(String)
        case stop
        /// As a stop that begins with a step, and it is never started again.
        case close(StopStep)
        case timer
    }

    package enum Action: Sendable, Equatable {
        case launch
        case signal(StopStep)
        /// Those who wait shall look again.
        case wake
    }

    /// Nanoseconds, as all times here.
    package struct Limits: Sendable {
        var idle: UInt64?
        var start: UInt64
        var interrupt: UInt64 = 20 * second
        var quit: UInt64 = 5 * second
        var kill: UInt64 = 5 * second
        /// Who ran that long has not crashed in a row.
        var steady: UInt64 = 60 * second
        /// After so many crashes in a row it is not started again.
        var crashes = 5
        /// A failure is told to all who come within that time; then somebody may try.
        var cooling: UInt64 = 10 * second

        func patience(_ step: StopStep) -> UInt64 {
            switch step {
            case .interrupt: interrupt
            case .quit: quit
            case .kill: kill
            }
        }

        package init(idle: UInt64?, start: UInt64) {
            self.idle = idle
            self.start = start
        }
    }

    package static let second: UInt64 = 1_000_000_000

    package private(set) var phase = Phase.down
    /// How many sessions there are, and how many would like to be.
    package private(set) var wanted = 0
    private(set) var idleSince: UInt64?
    package private(set) var crashCount = 0
    private var readySince: UInt64 = 0
    private var failure: String?
    private(set) var isClosed = false
    var limits: Limits

    package init(_ limits: Limits) { self.limits = limits }

    /// When to send a ``Event/timer``.
    package var deadline: UInt64? {
        switch phase {
        case .starting(let until), .stopping(_, let until), .resting(let until): until
        case .ready: idleSince.flatMap { since in limits.idle.map { since + $0 } }
        case .down, .failed: nil
        }
    }

    package mutating func handle(_ event: Event, at now: UInt64) -> [Action] {
        switch event {
        case .request: request(now)
        case .release: release(now)
        case .accepting: accepting(now)
        case .exited(let reason): exited(reason, now)
        case .refused(let reason): refused(reason, now)
        case .stop: stop(now, .interrupt)
        case .close(let step): close(now, step)
        case .timer: timer(now)
        }
    }

    private mutating func request(_ now: UInt64) -> [Action] {
        wanted += 1
        idleSince = nil
        if isClosed { return [.wake] }
        switch phase {
        case .down: return start(now)
        case .failed(_, let retryFrom) where now >= retryFrom:
            crashCount = 0
            return start(now)
        case .ready, .failed: return [.wake]
        case .starting, .stopping, .resting: return []
        }
    }

    private mutating func start(_ now: UInt64) -> [Action] {
        failure = nil
        phase = .starting(until: now + limits.start)
        return [.launch]
    }

    private mutating func release(_ now: UInt64) -> [Action] {
        wanted -= 1
        if wanted == 0, phase == .ready { idleSince = now }
        return []
    }

    private mutating func accepting(_ now: UInt64) -> [Action] {
        guard case .starting = phase else { return [] }
        phase = .ready
        readySince = now
        idleSince = wanted == 0 ? now : nil
        return [.wake]
    }

    private mutating func exited(_ reason: String, _ now: UInt64) -> [Action] {
        switch phase {
        case .down, .failed, .resting: return []
        case .stopping:
            if isClosed { return end() }
            if let failure { return fail(failure, now, cooling: limits.cooling) }
            return wanted > 0 ? start(now) : end()
        case .starting, .ready: return crashed(reason, now)
        }
    }

    private mutating func crashed(_ reason: String, _ now: UInt64) -> [Action] {
        if phase == .ready, now >= readySince + limits.steady { crashCount = 0 }
        crashCount += 1
        idleSince = nil
        if crashCount >= limits.crashes {
            let pause =
                "it ended \(crashCount) times in a row, so it is left alone for "
                + "\(limits.cooling / Self.second) s; the last time: "
            return fail(pause + reason, now, cooling: limits.cooling)
        }
        guard wanted > 0 else { return end() }
        if crashCount == 1 { return start(now) }
        phase = .resting(until: now + ((Self.second / 8) << UInt64(crashCount)))
        return []
    }

    private mutating func refused(_ reason: String, _ now: UInt64) -> [Action] {
        fail(reason, now, cooling: 0)
    }

    private mutating func fail(_ reason: String, _ now: UInt64, cooling: UInt64) -> [Action] {
        if isClosed { return end() }
        phase = .failed(reason, retryFrom: now + cooling)
        idleSince = nil
        return [.wake]
    }

    private mutating func stop(_ now: UInt64, _ step: StopStep) -> [Action] {
        switch phase {
        case .starting, .ready:
            phase = .stopping(step, until: now + limits.patience(step))
            idleSince = nil
            return [.signal(step)]
        case .stopping where step == .kill:
            phase = .stopping(.kill, until: now + limits.kill)
            return [.signal(.kill)]
        case .resting: return end()
        case .down, .failed, .stopping: return []
        }
    }

    private mutating func close(_ now: UInt64, _ step: StopStep) -> [Action] {
        isClosed = true
        if case .failed = phase { return end() }
        return stop(now, step) + [.wake]
    }

    private mutating func end() -> [Action] {
        phase = .down
        idleSince = nil
        return [.wake]
    }

    private mutating func timer(_ now: UInt64) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        switch phase {
        case .ready: return stop(now, .interrupt)
        case .resting: return start(now)
        case .starting:
            failure = "it let nobody in within \(limits.start / Self.second) s"
            phase = .stopping(.quit, until: now + limits.quit)
            return [.signal(.quit)]
        case .stopping(.interrupt, _):
            phase = .stopping(.quit, until: now + limits.quit)
            return [.signal(.quit)]
        case .stopping:
            phase = .stopping(.kill, until: now + limits.kill)
            return [.signal(.kill)]
        case .down, .failed: return []
        }
    }
}
