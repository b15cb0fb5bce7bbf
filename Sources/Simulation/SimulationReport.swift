import Primitives

/// What a run of seeds came to.
package struct SimulationReport: Sendable {
    /// A seed that failed, and why.
    package struct Failure: Sendable {
        package let seed: UInt64
        package let message: String
    }

    package var totals = SimulationTotals()
    package var table = FaultTable()
    package var failures: [Failure] = []
    /// A checksum over everything that all seeds did.
    package var trace: UInt64 = 0

    package init() {}

    /// Where the run did too little to prove anything; empty where it did enough.
    package var shortcomings: [String] {
        var list: [String] = []
        func expect(_ what: String, _ count: Int, _ least: Int) {
            if count < least * totals.seeds {
                list.append("\(count) \(what) in \(totals.seeds) seeds: below \(least) for each")
            }
        }
        expect("commits", totals.commits, 200)
        expect("sealed segments", totals.sealedSegments, 3)
        expect("checkpoints", totals.checkpoints, 3)
        expect("passes of reclaim", totals.reclaims, 1)
        for gap in table.gaps { list.append("\(gap.fault) never struck during \(gap.operation)") }
        return list
    }
}

extension SimulationReport {
    package static func += (left: inout SimulationReport, right: SimulationReport) {
        left.totals += right.totals
        left.table += right.table
        left.failures += right.failures
        left.trace = Checksum.fold(left.trace, right.trace)
    }
}

extension SimulationReport: CustomStringConvertible {
    package var description: String {
        let lines = [
            "\(totals.seeds) seeds, \(totals.operations) operations, \(totals.cycles) cycles",
            "\(totals.commits) commits, \(totals.sealedSegments) sealed segments, "
                + "\(totals.checkpoints) checkpoints, \(totals.reclaims) reclaims",
            "\(totals.powerLosses) losses of power (\(totals.recoveriesCut) during recovery), "
                + "\(totals.kills) ends of the process, \(totals.closes) closes, "
                + "\(totals.damageFound) seeds that ended with damage found",
            "trace \(String(trace, radix: 16))", "", table.description,
        ]
        return (lines + failures.map(\.description)).joined(separator: "\n")
    }
}

extension SimulationReport.Failure: CustomStringConvertible {
    package var description: String {
        "seed \(seed) failed: \(message)\n  again: oxbow simulate --replay \(seed)"
    }
}
