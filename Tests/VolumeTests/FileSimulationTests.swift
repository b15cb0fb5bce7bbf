import Simulation
import TestSupport
import Testing

@Suite struct FileSimulationTests {
    @Test func `files are as the model says, through crashes, full disks and failures`() {
        let seeds = testSeed...testSeed + 39
        let report = FileSimulator.run(seeds: seeds)
        for failure in report.failures { Issue.record("seed \(failure.seed): \(failure.message)") }
        #expect(report.totals.operations > 5_000)
        #expect(report.totals.looks > 20)
        #expect(report.totals.powerLosses > 100)
    }

    @Test func `the same seed does the same twice`() {
        #expect(FileSimulator.replay(seed: testSeed) == FileSimulator.replay(seed: testSeed))
    }
}
