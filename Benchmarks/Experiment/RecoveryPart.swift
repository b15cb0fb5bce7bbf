import Foundation
import Glibc

/// Step 3: production is emptied after a quiet time, and is recovered from a moment before.
enum RecoveryPart {
    static let names = ["recovery-bare", "recovery-backup"]

    static func run(_ lab: Laboratory) throws -> [Outcome] {
        let runs = lab.runs(15, quick: 5)
        var (ours, past, bare, backup) = (Tally(), Tally(), Tally(), Tally())
        let archive = try ArchivedServer(lab)
        try archive.work(lab)
        let quiet = lab.pick(12, quick: 12, tiny: 1)
        let accident = try Accident(lab, archive, quietSeconds: quiet)
        let ready = try lab.ready()
        try lab.inTurn(
            runs,
            [
                { round in
                    try lab.ifOurs { server, console in
                        let moment = accident.moment(round)
                        try recover(server, console, lab, accident, moment, round, &ours)
                        try look(server, lab, accident, moment, &past)
                    }
                },
                { _ in try BranchPart.start(ready, lab, &bare) },
                { round in
                    if round < max(runs / 3, 1) {
                        try archive.recover(lab, accident, round, &backup)
                    }
                },
            ]
        )
        ours.record("recovery", "oxbow", in: lab)
        past.record("moment, read-only", "oxbow", in: lab)
        backup.record("recovery", "base backup, archived WAL and replay", in: lab)
        lab.record(
            .published(
                "recovery, first row",
                "a hosted service",
                3_780,
                source: "a hosted service's published figure, for an unstated one of the three"
            )
        )
        try rescue(lab, accident)
        return [
            lab.outcome(
                "recovery-bare",
                ours.median,
                bare.median,
                "PostgreSQL started on ext4",
                must: 5,
                aim: 2,
                note: accident.note
            ),
            lab.outcome(
                "recovery-backup",
                ours.median,
                backup.median,
                "base backup, WAL and replay",
                must: 0.1,
                aim: 0.02
            ),
        ]
    }

    /// A branch of the moment, which has what production has lost.
    private static func recover(
        _ server: OxbowServer,
        _ console: Session,
        _ lab: Laboratory,
        _ accident: Accident,
        _ moment: String,
        _ round: Int,
        _ tally: inout Tally
    ) throws {
        let start = Measure.now()
        try server.fork("rescue-\(round)", at: moment, console)
        let durable = Double(Measure.now() - start) / 1e9
        let arrival = try Session.arrive(
            server.login(Laboratory.database, branch: "rescue-\(round)"),
            lab.question,
            since: start
        )
        tally.add(durable: durable, arrival)
        try accident.expectRescued(arrival.value, at: moment)
        try server.drop("rescue-\(round)", console)
    }

    /// The moment itself, in which nothing can be written.
    private static func look(
        _ server: OxbowServer,
        _ lab: Laboratory,
        _ accident: Accident,
        _ moment: String,
        _ tally: inout Tally
    ) throws {
        let start = Measure.now()
        let login = server.login(Laboratory.database).on("\(Laboratory.database)@main@\(moment)")
        let arrival = try Session.arrive(login, lab.question, since: start)
        tally.add(durable: nil, arrival)
        try accident.expectRescued(arrival.value, at: moment)
    }

    /// The whole incident: from when it is noticed until production has its rows again.
    private static func rescue(_ lab: Laboratory, _ accident: Accident) throws {
        try lab.ifOurs { server, console in
            var times: [Double] = []
            let table = lab.arguments.table
            for run in 0..<lab.runs(5, quick: 2) {
                let production = try Session(server.login(Laboratory.database))
                defer { production.end() }
                // The table is empty: by the accident, or again after a rescue.
                try production.query("DELETE FROM \(table)")
                let start = Measure.now()
                try server.fork("home-\(run)", at: accident.moment(run), console)
                let branch = try Session(
                    server.login(Laboratory.database, branch: "home-\(run)")
                )
                let rows = try branch.copyOut("COPY \(table) TO STDOUT")
                branch.end()
                try production.copy("COPY \(table) FROM STDIN", rows)
                times.append(Double(Measure.now() - start) / 1e9)
                try accident.expectRescued(production.value(lab.question), at: "now")
                try server.drop("home-\(run)", console)
            }
            lab.record("incident: branch, copy the rows home", "oxbow", seconds: times)
            lab.record(
                .published(
                    "incident: branch, copy the rows home",
                    "a hosted service",
                    60_000,
                    source: "a hosted service's published bound, under a minute"
                )
            )
        }
    }
}
