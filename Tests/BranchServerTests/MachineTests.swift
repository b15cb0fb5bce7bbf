import BranchServer
import Testing

/// The life of a compute, event by event. Times are in seconds.
@Suite struct MachineTests {
    private static let second = ComputeMachine.second

    private func machine(idle: UInt64? = 300) -> ComputeMachine {
        ComputeMachine(.init(idle: idle.map { $0 * Self.second }, start: 60 * Self.second))
    }

    private func ready(idle: UInt64? = 300) -> ComputeMachine {
        var machine = machine(idle: idle)
        _ = machine.handle(.request, at: 0)
        _ = machine.handle(.accepting, at: 1 * Self.second)
        return machine
    }

    @Test func `many who ask lead to one start`() {
        var machine = machine()
        #expect(machine.handle(.request, at: 0) == [.launch])
        for _ in 0..<40 { #expect(machine.handle(.request, at: 0) == []) }
        #expect(machine.handle(.accepting, at: 5) == [.wake])
        #expect(machine.phase == .ready)
        #expect(machine.wanted == 41)
        #expect(machine.handle(.request, at: 6) == [.wake])
    }

    @Test func `it stops after it was idle for so long, and not before`() {
        var machine = ready(idle: 10)
        #expect(machine.deadline == nil)
        _ = machine.handle(.release, at: 20 * Self.second)
        #expect(machine.deadline == 30 * Self.second)
        #expect(machine.handle(.timer, at: 29 * Self.second) == [])
        #expect(machine.handle(.timer, at: 30 * Self.second) == [.signal(.interrupt)])
        #expect(machine.handle(.exited("done"), at: 31 * Self.second) == [.wake])
        #expect(machine.phase == .down)
    }

    @Test func `who comes in time keeps it, and who never stops it never does`() {
        var machine = ready(idle: 10)
        _ = machine.handle(.release, at: 20 * Self.second)
        _ = machine.handle(.request, at: 25 * Self.second)
        #expect(machine.deadline == nil)
        var kept = ready(idle: nil)
        _ = kept.handle(.release, at: 2 * Self.second)
        #expect(kept.deadline == nil)
    }

    @Test func `a stop becomes firmer, and each step has its time`() {
        var machine = ready()
        #expect(machine.handle(.stop, at: 0) == [.signal(.interrupt)])
        #expect(machine.handle(.stop, at: 0) == [])
        #expect(machine.handle(.timer, at: 20 * Self.second) == [.signal(.quit)])
        #expect(machine.handle(.timer, at: 25 * Self.second) == [.signal(.kill)])
        #expect(machine.handle(.timer, at: 30 * Self.second) == [.signal(.kill)])
    }

    @Test func `who asks while it stops has it started again`() {
        var machine = ready()
        _ = machine.handle(.release, at: 0)
        _ = machine.handle(.stop, at: 0)
        #expect(machine.handle(.request, at: 1) == [])
        #expect(machine.handle(.exited("done"), at: 2) == [.launch])
    }

    private static let fiveTimes =
        "it ended 5 times in a row, so it is left alone for 10 s; the last time: "

    @Test func `a crash leads to a start at once, and more of them to longer rests`() {
        var machine = ready()
        #expect(machine.handle(.exited("killed"), at: 2 * Self.second) == [.launch])
        var rests: [UInt64] = []
        var now = 2 * Self.second
        while true {
            #expect(machine.handle(.exited("killed"), at: now).allSatisfy { $0 == .wake })
            guard case .resting(let until) = machine.phase else { break }
            rests.append((until - now) * 10 / Self.second)
            now = until
            #expect(machine.handle(.timer, at: now) == [.launch])
        }
        #expect(rests == [5, 10, 20])
        let told = Self.fiveTimes + "killed"
        #expect(machine.phase == .failed(told, retryFrom: now + 10 * Self.second))
    }

    @Test func `after a failure all are told for a while, then somebody tries again`() {
        var machine = ready()
        for time in 0..<5 {
            _ = machine.handle(.exited("broken"), at: UInt64(time) * 9 * Self.second)
            _ = machine.handle(.timer, at: (UInt64(time) * 9 + 8) * Self.second)
        }
        let retryFrom = (36 + 10) * Self.second
        #expect(machine.phase == .failed(Self.fiveTimes + "broken", retryFrom: retryFrom))
        _ = machine.handle(.release, at: 37 * Self.second)
        #expect(machine.handle(.request, at: retryFrom - 1) == [.wake])
        #expect(machine.handle(.request, at: retryFrom) == [.launch])
        #expect(machine.crashCount == 0)
    }

    @Test func `a crash long after the last one is the first again`() {
        var machine = ready()
        for round in 1...20 {
            let now = UInt64(round) * 100 * Self.second
            #expect(machine.handle(.exited("killed"), at: now) == [.launch])
            _ = machine.handle(.accepting, at: now + Self.second)
        }
        #expect(machine.crashCount == 1)
    }

    @Test func `once closed it ends whoever wants it, and stays so`() {
        var machine = ready()
        #expect(machine.handle(.close(.interrupt), at: 5).contains(.signal(.interrupt)))
        #expect(machine.handle(.request, at: 6) == [.wake])
        #expect(machine.handle(.exited("done"), at: 7) == [.wake])
        #expect(machine.phase == .down)
        #expect(machine.handle(.request, at: 8) == [.wake])
        #expect(machine.phase == .down)
    }

    @Test func `where nobody wants it, it is not started again`() {
        var machine = ready()
        _ = machine.handle(.release, at: 1 * Self.second)
        #expect(machine.handle(.exited("killed"), at: 2 * Self.second) == [.wake])
        #expect(machine.phase == .down)
    }

    @Test func `a start that takes too long is ended and told`() {
        var machine = machine()
        _ = machine.handle(.request, at: 0)
        #expect(machine.handle(.timer, at: 60 * Self.second) == [.signal(.quit)])
        #expect(machine.handle(.accepting, at: 61 * Self.second) == [])
        #expect(machine.handle(.exited("quit"), at: 62 * Self.second) == [.wake])
        guard case .failed(let reason, _) = machine.phase else {
            Issue.record("\(machine.phase)")
            return
        }
        #expect(reason == "it let nobody in within 60 s")
    }

    @Test func `what cannot be started is told at once, and may be tried at once`() {
        var machine = machine()
        _ = machine.handle(.request, at: 0)
        #expect(machine.handle(.refused("no"), at: 1) == [.wake])
        _ = machine.handle(.release, at: 1)
        #expect(machine.handle(.request, at: 2) == [.launch])
    }

    /// Whatever happens in whatever order, at most one process is there.
    @Test func `no order of events starts it twice`() {
        var seed: UInt64 = 42
        func draw(_ limit: UInt64) -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (seed >> 33) % limit
        }
        for _ in 0..<200 {
            var machine = machine(idle: 5)
            var now: UInt64 = 0
            var isRunning = false
            for _ in 0..<500 {
                now += draw(4) * Self.second
                var event = ComputeMachine.Event.timer
                switch draw(6) {
                case 0: event = .request
                case 1 where machine.wanted > 0: event = .release
                case 2 where isRunning: event = .accepting
                case 3 where isRunning: event = .exited("end")
                case 4: event = .stop
                default: break
                }
                if case .exited = event { isRunning = false }
                for action in machine.handle(event, at: now) where action == .launch {
                    #expect(!isRunning)
                    isRunning = true
                }
                #expect(machine.phase != .ready || isRunning)
                #expect(machine.wanted >= 0)
            }
        }
    }
}
