import DemoCatalog
import Foundation

/// Step 5: the same with larger catalogs.
enum SizePart {
    static let names = ["branch-8gb"]

    static func run(_ lab: Laboratory) throws -> [Outcome] {
        var (small, large) = (Tally(), Tally())
        let sizes = [1024, lab.arguments.largestMegabytes].filter {
            $0 <= lab.arguments.largestMegabytes && $0 > lab.catalogMegabytes
        }
        guard lab.context.isFull, lab.arguments.dump == nil, let largest = sizes.max() else {
            return [missing(lab, "a quick run has the smallest catalog alone")]
        }
        guard !lab.arguments.isPeersOnly else { return [missing(lab, "ours was left out")] }
        for megabytes in Set(sizes).sorted() {
            let catalog = CatalogGenerator(seed: lab.arguments.seed, megabytes: megabytes)
            let other = try lab.makeOurs("ours-\(megabytes)", catalog)
            let console = try other.console()
            let isLargest = megabytes == largest
            for server in [other, try lab.ours()] {
                try lab.rest(server.login(Laboratory.database))
            }
            var tally = Tally()
            try lab.inTurn(
                lab.runs(10, quick: 3),
                [
                    { run in
                        try BranchPart.branch(other, console, lab, "large-\(run)", &tally)
                    },
                    { run in
                        guard isLargest else { return }
                        try lab.ifOurs {
                            try BranchPart.branch($0, $1, lab, "small-\(run)", &small)
                        }
                    },
                ]
            )
            tally.record("branch of \(megabytes) MB", "oxbow", in: lab)
            if isLargest { large = tally }
            try recover(lab, other, console, megabytes)
            console.end()
            other.stop()
            try? FileManager.default.removeItem(atPath: other.data)
        }
        return [
            lab.outcome(
                "branch-8gb",
                large.median,
                small.median,
                "a catalog of 63 MB",
                must: 1.3,
                aim: 1,
                note: largest == 8192 ? "" : "the large catalog has \(largest) MB"
            )
        ]
    }

    private static func missing(_ lab: Laboratory, _ reason: String) -> Outcome {
        lab.outcome("branch-8gb", nil, nil, reason, must: 1.3, aim: 1)
    }

    /// A branch of a moment before a delete.
    private static func recover(
        _ lab: Laboratory,
        _ server: OxbowServer,
        _ console: Session,
        _ megabytes: Int
    ) throws {
        let production = try Session(server.login(Laboratory.database))
        defer { production.end() }
        let rows = try production.value(lab.question)
        guard let good = try console.query("SHOW POINT main AT 'head'").first?.first ?? nil else {
            throw BenchmarkError("SHOW POINT says nothing")
        }
        try production.query("DELETE FROM \(lab.arguments.table)")
        var tally = Tally()
        for run in 0..<lab.runs(10, quick: 3) {
            let start = Measure.now()
            try server.fork("rescue-\(run)", at: good, console)
            let durable = Double(Measure.now() - start) / 1e9
            let arrival = try Session.arrive(
                server.login(Laboratory.database, branch: "rescue-\(run)"),
                lab.question,
                since: start
            )
            guard arrival.value == rows else {
                throw BenchmarkError("the branch has \(arrival.value) rows")
            }
            tally.add(durable: durable, arrival)
            try server.drop("rescue-\(run)", console)
        }
        tally.record("recovery of \(megabytes) MB", "oxbow", in: lab)
    }
}
