import Primitives

/// Runs whole stores on simulated disks, one for each seed.
package enum Simulator {
    /// Runs seeds one after the other.
    ///
    /// - Parameter progress: Hears of each seed before it runs, with what came before it; stops the
    ///   run where it returns false.
    package static func run(
        seeds: ClosedRange<UInt64>,
        progress: (UInt64, SimulationReport) -> Bool = { _, _ in true }
    ) -> SimulationReport {
        var report = SimulationReport()
        for seed in seeds {
            if !progress(seed, report) { break }
            let simulation = StoreSimulation(seed: seed)
            do { try simulation.run() } catch {
                report.failures.append(.init(seed: seed, message: "\(error)"))
            }
            report.totals += simulation.totals
            report.table += simulation.table
            report.trace = Checksum.fold(report.trace, simulation.trace)
        }
        return report
    }

    /// Runs one seed again and tells all that it does, and how it ends.
    package static func replay(seed: UInt64) -> [String] {
        let simulation = StoreSimulation(seed: seed, keepsJournal: true)
        do {
            try simulation.run()
            simulation.note("passed")
        } catch { simulation.note("failed: \(error)") }
        return simulation.journal ?? []
    }
}
