import DemoCatalog
import Foundation

/// Steps 2 and 4: a risky migration on a branch, a reset of a branch, and production restored in
/// place. They have no bound, and show in the table of steps.
enum ChangePart {
    static func run(_ lab: Laboratory) throws {
        try lab.ifOurs { server, console in
            if lab.arguments.dump == nil { try migrate(lab, server, console) }
            try search(lab, server)
            try reset(lab, server, console)
        }
    }

    private static func migrate(
        _ lab: Laboratory,
        _ server: OxbowServer,
        _ console: Session
    ) throws {
        var times: [Double] = []
        for run in 0..<lab.runs(3, quick: 1) {
            try server.fork("migration-\(run)", console)
            let branch = try Session(
                server.login(Laboratory.database, branch: "migration-\(run)")
            )
            let start = Measure.now()
            for statement in CatalogQueries.riskyMigration { try branch.query(statement) }
            times.append(Double(Measure.now() - start) / 1e9)
            branch.end()
            let production = try Session(server.login(Laboratory.database))
            defer { production.end() }
            let traces = try production.value(
                """
                SELECT (SELECT count(*) FROM information_schema.columns
                  WHERE table_name = 'relations' AND column_name = 'id')
                  + (SELECT count(*) FROM refresh_state WHERE errors <> '[]')
                  + (SELECT count(*) FROM pg_class WHERE relname = 'refresh_keys') - 1
                """
            )
            guard traces == "0" else {
                throw BenchmarkError("production has \(traces) traces of a branch's migration")
            }
            try server.drop("migration-\(run)", console)
        }
        lab.record("a risky migration on a branch", "oxbow", seconds: times)
    }

    private static func search(_ lab: Laboratory, _ server: OxbowServer) throws {
        guard lab.arguments.dump == nil else { return }
        let query = CatalogQueries.search(["payment", "gateway"])
        for (system, login) in [
            ("oxbow", server.login(Laboratory.database)),
            ("PostgreSQL on ext4", try lab.stock().login(Laboratory.database)),
        ] {
            let session = try Session(login)
            defer { session.end() }
            var times: [Double] = []
            for _ in 0..<lab.runs(20, quick: 10) {
                let start = Measure.now()
                guard try !session.query(query).isEmpty else {
                    throw BenchmarkError("nothing was found")
                }
                times.append(Double(Measure.now() - start) / 1e9)
            }
            lab.record("a full-text search", system, seconds: times)
        }
    }

    private static func reset(
        _ lab: Laboratory,
        _ server: OxbowServer,
        _ console: Session
    ) throws {
        try server.fork("work", console)
        for (step, branch) in [
            ("reset a branch", "work"), ("restore production in place", "main"),
        ] {
            var tally = Tally()
            for _ in 0..<lab.runs(10, quick: 3) {
                try resetOnce(lab, server, console, branch, &tally)
            }
            tally.record(step, "oxbow", in: lab)
        }
        try server.drop("work", console)
    }

    private static func resetOnce(
        _ lab: Laboratory,
        _ server: OxbowServer,
        _ console: Session,
        _ branch: String,
        _ tally: inout Tally
    ) throws {
        let login = server.login(Laboratory.database, branch: branch)
        let session = try Session(login)
        let rows = try session.value(lab.question)
        let good = try console.query("SHOW POINT \"\(branch)\" AT 'head'").first?.first ?? nil
        guard let good else { throw BenchmarkError("SHOW POINT says nothing") }
        try session.query("DELETE FROM \(lab.arguments.table)")
        let start = Measure.now()
        try console.query("RESET BRANCH \"\(branch)\" TO '\(good)'")
        let durable = Double(Measure.now() - start) / 1e9
        let arrival = try Session.arrive(login, lab.question, since: start)
        guard arrival.value == rows else {
            throw BenchmarkError("\(branch) has \(arrival.value) rows after its reset")
        }
        tally.add(durable: durable, arrival)
    }
}
