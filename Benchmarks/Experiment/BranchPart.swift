import Foundation

/// Step 1: a branch of production, to its first row, and what people do for want of one.
enum BranchPart {
    static let names = ["branch-cold", "branch-warm", "branch-template", "branch-template-warm"]

    static func run(_ lab: Laboratory) throws -> [Outcome] {
        let runs = lab.runs(15, quick: 7)
        var (ours, bare, template, btrfs) = (Tally(), Tally(), Tally(), Tally())
        let stock = try lab.stock()
        let ready = try lab.ready()
        let disk = Result { try lab.btrfs() }
        if !lab.arguments.isPeersOnly { _ = try lab.ours() }
        try lab.inTurn(
            runs,
            [
                { round in
                    try lab.ifOurs { try branch($0, $1, lab, "branch-\(round)", &ours) }
                },
                { _ in try start(ready, lab, &bare) },
                { round in
                    if round < max(runs / 2, 1) { try copy(stock, lab, round, &template) }
                },
                { round in
                    if let disk = try? disk.get() { try snapshot(disk, lab, round, &btrfs) }
                },
            ]
        )
        let (prepared, bytes) = try lab.arguments.isPeersOnly ? (Tally(), nil) : warm(lab, runs)
        ours.record("branch", "oxbow", in: lab)
        prepared.record("branch", "oxbow, prepared", in: lab)
        bare.record("start", "PostgreSQL on ext4, ready", in: lab)
        template.record("branch", "CREATE DATABASE TEMPLATE", in: lab)
        if case .failure(let error) = disk {
            lab.record(.missing("branch, first row", "btrfs snapshot and start", "\(error)"))
        }
        btrfs.record("branch", "btrfs snapshot and start", in: lab)
        try dumpAndRestore(stock, lab)
        lab.record(
            .published(
                "branch, first row",
                "a hosted service",
                1_090,
                source: "a hosted service's published figure, for an unstated one of the three"
            )
        )
        return [
            lab.outcome(
                "branch-cold",
                ours.median,
                bare.median,
                "PostgreSQL started on ext4",
                must: 2.5,
                aim: 1.3
            ),
            lab.outcome(
                "branch-warm",
                prepared.median,
                bare.median,
                "PostgreSQL started on ext4",
                must: 0.1,
                aim: 0.1,
                isJudged: false,
                note: bytes.map { "what is kept ready takes \($0 >> 20) MiB" } ?? ""
            ),
            lab.outcome(
                "branch-template",
                ours.median,
                template.median,
                "CREATE DATABASE TEMPLATE",
                must: 0.4,
                aim: 0.1
            ),
            lab.outcome(
                "branch-template-warm",
                prepared.median,
                template.median,
                "CREATE DATABASE TEMPLATE",
                must: 0.4,
                aim: 0.1
            ),
        ]
    }

    /// Branches of a production that rests, of which the server keeps a fork ready; and the memory
    /// that one takes.
    private static func warm(_ lab: Laboratory, _ runs: Int) throws -> (Tally, bytes: Int?) {
        var tally = Tally()
        var bytes: Int?
        let server = try lab.ours()
        lab.forget("console")
        try server.restart(prepared: 1)
        do {
            let console = try server.console()
            defer { console.end() }
            // The branch that is forked is known by its forks.
            try server.fork("asked", console)
            try server.drop("asked", console)
            for round in 0..<runs {
                bytes = MemoryUse.bytes(ofTree: try server.awaitPrepared(console))
                try branch(server, console, lab, "warm-\(round)", movesHead: false, &tally)
            }
        }
        try server.restart(prepared: 0)
        return (tally, bytes)
    }

    /// Production goes on, so that nothing that was prepared would still be right.
    static func moveHead(_ login: Login) throws {
        let session = try Session(login)
        defer { session.end() }
        try session.query("CREATE TABLE IF NOT EXISTS moved (at timestamptz)")
        try session.query("INSERT INTO moved VALUES (clock_timestamp())")
    }

    /// A branch of ours, which goes again.
    static func branch(
        _ server: OxbowServer,
        _ console: Session,
        _ lab: Laboratory,
        _ name: String,
        movesHead: Bool = true,
        _ tally: inout Tally
    ) throws {
        if movesHead { try moveHead(server.login(Laboratory.database)) }
        let start = Measure.now()
        try server.fork(name, console)
        let durable = Double(Measure.now() - start) / 1e9
        let arrival = try Session.arrive(
            server.login(Laboratory.database, branch: name),
            lab.question,
            since: start
        )
        tally.add(durable: durable, arrival)
        try server.drop(name, console)
    }

    /// PostgreSQL as it comes, started where all is ready.
    static func start(
        _ ready: StockPostgres,
        _ lab: Laboratory,
        _ tally: inout Tally
    ) throws {
        let start = Measure.now()
        try ready.launch()
        tally.add(
            durable: nil,
            try ready.firstRow(lab.question, in: Laboratory.database, since: start)
        )
        ready.stop()
    }

    private static func copy(
        _ stock: StockPostgres,
        _ lab: Laboratory,
        _ round: Int,
        _ tally: inout Tally
    ) throws {
        try moveHead(stock.login(Laboratory.database))
        let session = try Session(stock.login())
        defer { session.end() }
        try waitUntilUnused(session)
        let start = Measure.now()
        try session.query("CREATE DATABASE copy_\(round) TEMPLATE \(Laboratory.database)")
        let durable = Double(Measure.now() - start) / 1e9
        let login = stock.login("copy_\(round)")
        tally.add(durable: durable, try Session.arrive(login, lab.question, since: start))
        try session.query("DROP DATABASE copy_\(round) WITH (FORCE)")
    }

    /// A template must have no sessions; those that end take a moment for it.
    private static func waitUntilUnused(_ session: Session) throws {
        let question =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(Laboratory.database)'"
        while try session.value(question) != "0" { usleep(2_000) }
    }

    /// A snapshot of a running server's folder, and a server started on it.
    static func snapshot(
        _ btrfs: Laboratory.Btrfs,
        _ lab: Laboratory,
        _ round: Int,
        movesHead: Bool = true,
        _ tally: inout Tally
    ) throws {
        if movesHead { try moveHead(btrfs.source.login(Laboratory.database)) }
        let start = Measure.now()
        let path = try btrfs.disk.snapshot(Laboratory.Btrfs.name, as: "copy-\(round)")
        let durable = Double(Measure.now() - start) / 1e9
        let server = try lab.btrfsCopy(path)
        try server.launch()
        tally.add(
            durable: durable,
            try server.firstRow(lab.question, in: Laboratory.database, since: start)
        )
        server.stop(crash: true)
        try btrfs.disk.delete("copy-\(round)")
    }

    private static func dumpAndRestore(_ stock: StockPostgres, _ lab: Laboratory) throws {
        var tally = Tally()
        for round in 0..<lab.runs(3, quick: 1) {
            let session = try Session(stock.login())
            defer { session.end() }
            let start = Measure.now()
            try session.query("CREATE DATABASE restored_\(round)")
            try Tool.run(
                [
                    "bash", "-o", "pipefail", "-c",
                    "\(lab.tools.path("pg_dump")) -Fc -Z0 \(Laboratory.database)"
                        + " | \(lab.tools.path("pg_restore")) -d restored_\(round)",
                ],
                environment: stock.login().environment
            )
            let durable = Double(Measure.now() - start) / 1e9
            let login = stock.login("restored_\(round)")
            tally.add(durable: durable, try Session.arrive(login, lab.question, since: start))
            try session.query("DROP DATABASE restored_\(round) WITH (FORCE)")
        }
        tally.record("branch", "pg_dump | pg_restore", in: lab)
    }
}
