import Simulation
import TestSupport
import Testing

/// Whole stores, life after life. The long runs are those of `oxbow simulate`.
@Suite struct StoreSimulationTests {
    /// Few enough that a debug build is done in some seconds.
    static let seeds: ClosedRange<UInt64> = 1...10

    @Test func `stores keep what they promised, whatever the disk did`() {
        let report = Simulator.run(seeds: Self.seeds)
        #expect(report.failures.map(\.description) == [])
        #expect(report.totals.cycles > 500)
    }

    @Test func `stores get somewhere`() {
        let totals = Simulator.run(seeds: 101...106).totals
        #expect(totals.commits >= 200 * totals.seeds)
        #expect(totals.sealedSegments >= 3 * totals.seeds)
        #expect(totals.checkpoints >= 3 * totals.seeds)
        #expect(totals.reclaims >= totals.seeds)
        #expect(totals.recoveriesCut > 0)
        #expect(totals.kills > 0)
    }

    @Test func `the same seed does the same again, and another does not`() {
        let first = Simulator.run(seeds: 7...8)
        let second = Simulator.run(seeds: 7...8)
        #expect(first.trace == second.trace)
        #expect(first.totals == second.totals)
        #expect(first.table == second.table)
        #expect(first.trace != Simulator.run(seeds: 8...9).trace)
    }

    @Test func `a replay tells what was done, and how it ended`() {
        let journal = Simulator.replay(seed: 3)
        #expect(journal.first == "life 0")
        #expect(journal.last == "passed")
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `a crash at every operation leaves what was promised`(seed: UInt64) {
        let report = Simulator.runEverywhere(seed: seed, operations: 25)
        #expect(report.failures.map(\.description) == [])
        #expect(report.totals.cycles > 15)
    }

    @Test func `so does a second crash at every operation of the recovery`() {
        let report = Simulator.runEverywhere(seed: 3, operations: 12, twice: true)
        #expect(report.failures.map(\.description) == [])
        #expect(report.totals.recoveriesCut > 30)
    }

    @Test func `a run is told of each seed, and ends when asked to`() {
        var seeds: [UInt64] = []
        let report = Simulator.run(seeds: 1...1000) { seed, _ in
            seeds.append(seed)
            return seeds.count <= 2
        }
        #expect(seeds == [1, 2, 3])
        #expect(report.totals.seeds == 2)
    }

    @Test func `a run that did too little says so`() {
        let report = Simulator.run(seeds: 1...1)
        #expect(report.shortcomings.contains { $0.contains("never struck during") })
        #expect(SimulationReport().shortcomings.count > 100)
        #expect("\(report)".contains("commitSynced"))
    }

    /// Each law of the model is broken once; a run that does not notice proves nothing.
    @Test(arguments: Sabotage.allCases)
    func `a broken law is found`(law: Sabotage) {
        // A crash does not always fall where it shows.
        let isFound = (1...6 as ClosedRange<UInt64>).lazy.map {
            !Simulator.run(seed: $0, breaking: law).failures.isEmpty
        }
        #expect(isFound.contains(true))
    }
}

/// Seeds that found something once, with what it was. They stay, whatever the workload makes of
/// them by now; ``EngineRegressionTests`` keeps each case by itself.
@Suite struct FailingSeedTests {
    @Test(arguments: FailingSeeds.all)
    func `a seed that failed once passes`(seed: UInt64) {
        #expect(Simulator.run(seeds: seed...seed).failures.map(\.description) == [])
    }
}
