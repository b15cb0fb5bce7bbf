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
            report += run(StoreSimulation(seed: seed)) { try $0.run() }
        }
        return report
    }

    /// Runs a seed on a store, or against a model, that breaks a law: a control, which must fail.
    package static func run(seed: UInt64, breaking law: Sabotage) -> SimulationReport {
        let simulation = StoreSimulation(seed: seed, regime: .honest)
        simulation.sabotage = law
        return run(simulation) { try $0.run() }
    }

    /// Runs the beginning of one seed's store, and crashes at every operation that changes the
    /// disk; and, where asked for, at every one of each recovery.
    package static func runEverywhere(
        seed: UInt64,
        operations: Int,
        twice: Bool = false
    ) -> SimulationReport {
        run(StoreSimulation(seed: seed, regime: .honest)) {
            try $0.runEverywhere(operations: operations, twice: twice)
        }
    }

    private static func run(
        _ simulation: StoreSimulation,
        _ body: (StoreSimulation) throws -> Void
    ) -> SimulationReport {
        var report = SimulationReport()
        do { try body(simulation) } catch {
            report.failures.append(.init(seed: simulation.seed, message: "\(error)"))
        }
        report.totals = simulation.totals
        report.table = simulation.table
        report.trace = simulation.trace
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
