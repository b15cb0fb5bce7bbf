/// How much was done to volumes.
package struct FileSimulationTotals: Sendable, Equatable {
    package var seeds = 0
    /// Operations on files.
    package var operations = 0
    package var powerLosses = 0
    package var kills = 0
    /// Moments gone by that were looked at again.
    package var looks = 0
    /// Checks of all volumes.
    package var proofs = 0
}

/// What came out of seeds.
package struct FileSimulationReport: Sendable {
    package var totals = FileSimulationTotals()
    package var failures: [(seed: UInt64, message: String)] = []
}

/// Runs branches of files on simulated disks, one store for each seed.
package enum FileSimulator {
    package static func run(
        seeds: ClosedRange<UInt64>,
        progress: (UInt64, FileSimulationReport) -> Bool = { _, _ in true }
    ) -> FileSimulationReport {
        var report = FileSimulationReport()
        for seed in seeds {
            if !progress(seed, report) { break }
            let simulation = FileSimulation(seed: seed)
            do { try simulation.run() } catch { report.failures.append((seed, "\(error)")) }
            report.totals.add(simulation.totals)
        }
        return report
    }

    /// Runs one seed again and tells all that it does, and how it ends.
    package static func replay(seed: UInt64) -> [String] {
        let simulation = FileSimulation(seed: seed, keepsJournal: true)
        do {
            try simulation.run()
            simulation.note("passed")
        } catch { simulation.note("failed: \(error)") }
        return simulation.journal ?? []
    }
}

extension FileSimulationTotals {
    fileprivate mutating func add(_ other: FileSimulationTotals) {
        seeds += 1
        operations += other.operations
        powerLosses += other.powerLosses
        kills += other.kills
        looks += other.looks
        proofs += other.proofs
    }
}
