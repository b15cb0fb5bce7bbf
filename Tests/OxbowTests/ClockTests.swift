import Oxbow
import Primitives
import Simulation
import Testing

/// Times of the log, and what goes by them, whatever the clock does.
@Suite struct ClockTests {
    /// Takes the steps that are due; a store that always has more to do is not waited for.
    private func settle(_ store: Store) throws {
        for _ in 0..<8 where try !store.step() { return }
    }

    @Test func `times are unique and grow while the clock stands still or goes back`() throws {
        let clock = SimulatedClock(random: SeededRandom(seed: 3), largestStepNanoseconds: 0)
        var test = try TestStore(clock: clock)
        var marks: [(lsn: LSN, time: LogTime, clock: UInt64)] = []
        for round in 1...40 {
            if round % 10 == 0 { clock.jump(by: .seconds(round % 20 == 0 ? -86_400 : 60)) }
            if round == 25 { try test.crash() }
            let main = try test.store.branch("main")
            let commit = try main.write([1: round], .synced)
            if let last = marks.last { #expect(commit.time > last.time) }
            marks.append((commit.lsn, commit.time, clock.calendarTime))
        }
        let main = try test.store.branch("main")
        for mark in marks {
            let point = try main.point(at: .time(mark.time))
            #expect(point.lsn == mark.lsn)
            #expect(point.clock.rawValue == mark.clock)
        }
    }

    @Test func `a branch goes when it expires, not before, and not at an expiry that was put off`()
        throws
    {
        let test = try TestStore()
        let main = try test.store.branch("main")
        let names = { () throws -> [String] in
            try settle(test.store)
            return try test.store.branches().map(\.name)
        }
        try test.store.fork("soon", from: main, expires: .after(.seconds(100)))
        let later = try test.store.fork("later", from: main, expires: .after(.seconds(100)))
        try later.setExpiry(.after(.seconds(1000)))
        test.clock.advance(by: .seconds(70))
        #expect(try names() == ["main", "soon", "later"])
        test.clock.advance(by: .seconds(31))
        #expect(try names() == ["main", "later"])
        test.clock.advance(by: .seconds(1000))
        #expect(try names() == ["main"])
    }

    @Test func `a jump of the clock takes nothing away until it stands or is confirmed`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try test.store.fork("week", from: main, expires: .after(.seconds(7 * 86_400)))
        let first = try main.write([1: 1], .synced)
        for round in 2..<50 { try main.write([1: round]) }
        try settle(test.store)
        test.clock.jump(by: .seconds(30 * 86_400))
        for round in 0..<5 {
            try main.write([2: round + 1])
            try settle(test.store)
            try test.store.reclaim()
            test.clock.advance(by: .seconds(60))
        }
        #expect(try test.store.branches().count == 2)
        let point = try main.point(at: .lsn(first.lsn))
        #expect(point.lsn == first.lsn)
        #expect(try main.view(at: point).difference(from: [1: 1]) == nil)
        test.store.confirmClock()
        try settle(test.store)
        #expect(try test.store.branches().count == 1)
    }

    @Test func `a jump that stands for an hour is believed`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try test.store.fork("week", from: main, expires: .after(.seconds(7 * 86_400)))
        try settle(test.store)
        test.clock.jump(by: .seconds(30 * 86_400))
        for _ in 0..<2 {
            try settle(test.store)
            test.clock.advance(by: .seconds(3601))
        }
        try settle(test.store)
        #expect(try test.store.branches().count == 1)
    }

    @Test func `a clock that jumped while the store was closed takes nothing away`() throws {
        var test = try TestStore()
        let main = try test.store.branch("main")
        try test.store.fork("week", from: main, expires: .after(.seconds(7 * 86_400)))
        try main.write([1: 1], .synced)
        test.clock.jump(by: .seconds(30 * 86_400))
        try test.reopen()
        try settle(test.store)
        try test.store.reclaim()
        #expect(try test.store.branches().count == 2)
        test.clock.advance(by: .seconds(3601))
        try settle(test.store)
        #expect(try test.store.branches().count == 1)
    }
}
