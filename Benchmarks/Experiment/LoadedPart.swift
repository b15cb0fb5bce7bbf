import Foundation
import Glibc

/// Step 5: branches of production while pgbench writes to it, with one and with fifty alive.
enum LoadedPart {
    static let names = ["branch-loaded"]
    /// So many clients write.
    static let clients = 2
    /// For so long before the first branch: half of the five minutes that are between two
    /// checkpoints by PostgreSQL's defaults, and more than any cycle of ours.
    static let warmUp = 150

    static func run(_ lab: Laboratory) throws -> [Outcome] {
        let rounds = lab.pick(2, quick: 1, tiny: 1)
        let each = lab.runs(8, quick: 3)
        let warmUp = lab.pick(Self.warmUp, quick: 3, tiny: 1)
        var (ours, btrfs) = (Tally(), Tally())
        let disk = Result { try (lab.btrfs(), lab.btrfsBench()) }
        if !lab.arguments.isPeersOnly { _ = try lab.ourBench() }
        try lab.inTurn(
            rounds,
            [
                { _ in
                    try lab.ifOurs { server, console in
                        let login = server.login(Laboratory.bench)
                        try whileLoaded(lab, login, warmUp) {
                            for run in 0..<each {
                                try BranchPart.branch(
                                    server,
                                    console,
                                    lab,
                                    "loaded-\(run)",
                                    movesHead: false,
                                    &ours
                                )
                            }
                        }
                    }
                },
                { _ in
                    guard let (disk, login) = try? disk.get() else { return }
                    try whileLoaded(lab, login, warmUp) {
                        for run in 0..<each {
                            try BranchPart.snapshot(disk, lab, run, movesHead: false, &btrfs)
                        }
                    }
                },
            ]
        )
        ours.record("branch under load", "oxbow", in: lab)
        btrfs.record("branch under load", "btrfs snapshot and start", in: lab)
        let reason = if case .failure(let error) = disk { "\(error)" } else { "" }
        if btrfs.firstRow.isEmpty {
            lab.record(
                .missing("branch under load, first row", "btrfs snapshot and start", reason)
            )
        }
        try crowd(lab)
        try forking(lab)
        return [
            lab.outcome(
                "branch-loaded",
                ours.median,
                btrfs.median,
                btrfs.median == nil ? reason : "btrfs snapshot and start",
                must: 0.2,
                aim: 0.05
            )
        ]
    }

    /// Runs a body while pgbench has been writing for so long, and still is.
    static func whileLoaded(
        _ lab: Laboratory,
        _ login: Login,
        _ warmUp: Int,
        _ body: () throws -> Void
    ) throws {
        let session = try Session(login)
        try session.query("CHECKPOINT")
        session.end()
        let load = try Load(lab, login, .transactions, clients: clients, seconds: 3_600)
        defer { load.stop() }
        sleep(UInt32(warmUp))
        try body()
    }

    /// The same with fifty branches alive.
    private static func crowd(_ lab: Laboratory) throws {
        try lab.ifOurs { server, console in
            let count = lab.pick(50, quick: 10, tiny: 3)
            for number in 0..<count { try server.fork("alive-\(number)", console) }
            try lab.rest(server.login(Laboratory.bench))
            var tally = Tally()
            for run in 0..<lab.runs(10, quick: 2) {
                try BranchPart.branch(server, console, lab, "among-\(run)", &tally)
            }
            tally.record("branch, \(count) alive", "oxbow", in: lab)
            for number in 0..<count { try server.drop("alive-\(number)", console) }
        }
    }

    /// What production notices while others fork it, and how fast a fork is against its parent.
    private static func forking(_ lab: Laboratory) throws {
        try lab.ifOurs { server, console in
            let seconds = lab.seconds(20, quick: 2)
            let login = server.login(Laboratory.bench)
            for isForked in [false, true] {
                let prefix = lab.folder + "/latency"
                let load = try Load(
                    lab,
                    login,
                    .transactions,
                    clients: clients,
                    seconds: seconds,
                    logPrefix: prefix
                )
                let end = Measure.now() + UInt64(max(seconds - 1, 1)) * 1_000_000_000
                var (count, tally) = (0, Tally())
                while isForked, Measure.now() < end {
                    try BranchPart.branch(
                        server,
                        console,
                        lab,
                        "other-\(count)",
                        movesHead: false,
                        &tally
                    )
                    count += 1
                    usleep(200_000)
                }
                let what = isForked ? "production while \(count) fork it" : "production alone"
                let tps = try load.finish()
                lab.record(Series(what, "oxbow, pgbench", unit: "tps", [tps]))
                lab.record(
                    Series(what + ", a transaction", "oxbow, pgbench", try Load.latencies(prefix))
                )
            }
            try freshFork(lab, server, console, seconds)
        }
    }

    private static func freshFork(
        _ lab: Laboratory,
        _ server: OxbowServer,
        _ console: Session,
        _ seconds: Int
    ) throws {
        var rates: (parent: [Double], fork: [Double]) = ([], [])
        try lab.inTurn(
            lab.runs(3, quick: 1),
            [
                { _ in
                    rates.parent.append(
                        try Load.run(
                            lab,
                            server.login(Laboratory.bench),
                            .transactions,
                            clients: clients,
                            seconds: seconds
                        )
                    )
                },
                { round in
                    try server.fork("fresh-\(round)", console)
                    rates.fork.append(
                        try Load.run(
                            lab,
                            server.login(Laboratory.bench, branch: "fresh-\(round)"),
                            .transactions,
                            clients: clients,
                            seconds: seconds
                        )
                    )
                    try server.drop("fresh-\(round)", console)
                },
            ]
        )
        lab.record(Series("pgbench on the parent", "oxbow", unit: "tps", rates.parent))
        lab.record(Series("pgbench on a fresh fork", "oxbow", unit: "tps", rates.fork))
    }
}
