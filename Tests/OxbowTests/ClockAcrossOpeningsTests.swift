import Oxbow
import Primitives
import Simulation
import Testing

/// What goes by the clock, where it was wrong, or time has passed, between two openings.
@Suite struct ClockAcrossOpeningsTests {
    static let day = 86_400

    enum Checkpoints: CaseIterable { case none, before, after, both }

    struct Case: CustomTestStringConvertible {
        var checkpoints: Checkpoints
        var isRightWhenEnding: Bool
        var crashes: Bool

        static var all: [Case] {
            Checkpoints.allCases.flatMap { checkpoints in
                [(false, false), (false, true), (true, false), (true, true)].map {
                    Case(checkpoints: checkpoints, isRightWhenEnding: $0.0, crashes: $0.1)
                }
            }
        }

        var testDescription: String {
            "\(checkpoints), right \(isRightWhenEnding), crash \(crashes)"
        }
    }

    /// A store whose history and whose branch `half` are gone a day later.
    private func store() throws -> TestStore {
        let test = try TestStore()
        try test.store.setWindow(.seconds(Self.day), bytes: 1 << 30)
        let main = try test.store.branch("main")
        try test.store.fork("half", from: main, expires: .after(.seconds(Self.day / 2)))
        for round in 1...200 { try main.write([1 + round % 20: round]) }
        try test.store.sync()
        return test
    }

    private func upkeep(_ test: TestStore) throws {
        for _ in 0..<8 where try !test.store.step() { break }
        for _ in 0..<2 { try test.store.reclaim() }
    }

    private func branches(_ test: TestStore) throws -> [String] {
        try test.store.branches().map(\.name)
    }

    private func historyCount(_ test: TestStore) throws -> Int {
        try test.store.branch("main").history(limit: 1000).count
    }

    /// A command: opens the store, commits, and does what is due.
    private func command(
        _ test: inout TestStore,
        _ content: Int,
        after seconds: Int
    ) throws {
        let clock = test.clock
        try test.reopen { clock.advance(by: .seconds(seconds)) }
        try test.store.branch("main").write([50: content], .synced)
        try upkeep(test)
    }

    @Test(arguments: Case.all)
    func `a clock that was wrong once takes nothing away when the store is opened again`(
        _ situation: Case
    ) throws {
        var test = try store()
        let (clock, wrong) = (test.clock, Duration.seconds(10 * Self.day))
        if [.before, .both].contains(situation.checkpoints) { try test.store.checkpoint() }
        clock.jump(by: wrong)
        try test.store.branch("main").write([1: 1000], .synced)
        if situation.isRightWhenEnding { clock.jump(by: .zero - wrong) }
        if [.after, .both].contains(situation.checkpoints) { try test.store.checkpoint() }
        for round in 0..<3 {
            let rights = {
                if !situation.isRightWhenEnding, round == 0 { clock.jump(by: .zero - wrong) }
            }
            if situation.crashes, round == 0 {
                try test.crash(meanwhile: rights)
            } else {
                try test.reopen(meanwhile: rights)
            }
            try upkeep(test)
            #expect(try branches(test) == ["main", "half"])
            #expect(try historyCount(test) == 202)
            clock.advance(by: .seconds(60))
        }
        // It goes on from there.
        clock.advance(by: .seconds(Self.day / 2))
        try upkeep(test)
        #expect(try branches(test) == ["main"])
    }

    @Test func `a clock that is wrong in several openings takes nothing away`() throws {
        var test = try store()
        let (clock, wrong) = (test.clock, Duration.seconds(10 * Self.day))
        clock.jump(by: wrong)
        for content in 1...6 {
            if content == 4 { clock.jump(by: .zero - wrong) }
            try command(&test, content, after: 900)
            #expect(try branches(test) == ["main", "half"])
            #expect(try historyCount(test) == 201 + content)
        }
    }

    /// The times of all records since then are those of the wrong clock, but the clock's own word
    /// stands beside each.
    @Test func `a store whose clock was wrong once goes on by the right one`() throws {
        var test = try store()
        let (clock, wrong) = (test.clock, Duration.seconds(100 * Self.day))
        clock.jump(by: wrong)
        try test.store.branch("main").write([1: 1000], .synced)
        try test.store.checkpoint()
        clock.jump(by: .zero - wrong)
        try test.store.fork("late", from: test.store.branch("main"), expires: .after(.seconds(1)))
        for content in 1...4 {
            try command(&test, content, after: 2 * Self.day)
            #expect(try branches(test).contains("half") == (content < 2))
        }
        #expect(try branches(test) == ["main", "late"])
    }

    @Test(arguments: [false, true])
    func `a store that is opened for a moment, days apart, lets go of the past`(
        _ makesCheckpoints: Bool
    ) throws {
        var test = try store()
        for content in 1...3 {
            if makesCheckpoints { try test.store.checkpoint() }
            try command(&test, content, after: 3 * Self.day)
            // After the first pause the clock may be wrong; by the next it has stood.
            #expect(try branches(test) == (content == 1 ? ["main", "half"] : ["main"]))
        }
        #expect(try historyCount(test) < 10)
    }

    @Test func `a jump stands for its hour whatever is opened and closed in it`() throws {
        var test = try store()
        try test.store.checkpoint()
        for content in 1...4 {
            try command(&test, content, after: content == 1 ? 3 * Self.day : 1000)
            #expect(try branches(test) == ["main", "half"])
        }
        try command(&test, 5, after: 1000)
        #expect(try branches(test) == ["main"])
        #expect(try historyCount(test) < 10)
    }

    /// What is between two checkpoints is not known when a store is opened.
    @Test func `after a day without a checkpoint what is due goes an hour late at the latest`()
        throws
    {
        var test = try store()
        try test.store.checkpoint()
        for content in 1...20 {
            test.clock.advance(by: .seconds(Self.day / 15))
            try test.store.branch("main").write([60: content], .synced)
        }
        try test.store.checkpoint()
        for content in 1...5 { try command(&test, content, after: 1000) }
        #expect(try branches(test) == ["main"])
        #expect(try historyCount(test) < 40)
    }
}
