import Foundation

/// What the hop through the front costs.
enum FrontPart {
    static let counts = [1, 8, 64]
    static let names =
        counts.map { "front-tpcb-\($0)" } + counts.map { "front-select-\($0)" } + ["connect"]

    static func run(_ lab: Laboratory) throws -> [Outcome] {
        let scripts: [(Load.Script, String)] = [(.transactions, "tpcb"), (.selects, "select")]
        var outcomes: [Outcome] = []
        for (script, name) in scripts {
            for count in counts {
                outcomes.append(try through(lab, script, "front-\(name)-\(count)", count))
            }
        }
        return outcomes + [try connect(lab)]
    }

    private static func through(
        _ lab: Laboratory,
        _ script: Load.Script,
        _ name: String,
        _ clients: Int
    ) throws -> Outcome {
        var (left, right): ([Double], [Double]) = ([], [])
        let seconds = lab.seconds(10, quick: 1)
        try lab.ifOurs { _, _ in
            let server = try lab.ourBench()
            let straight = try server.straightLogin(Laboratory.bench, branch: "main")
            let front = server.socketLogin(Laboratory.bench, branch: "main")
            func load(_ login: Login) throws -> Double {
                try Load.run(lab, login, script, clients: clients, seconds: seconds)
            }
            try lab.inTurn(
                lab.runs(3, quick: 1),
                [
                    { _ in left.append(try load(front)) },
                    { _ in right.append(try load(straight)) },
                ]
            )
        }
        return TransactionPart.rate(
            lab,
            name,
            left,
            right,
            left.isEmpty ? "not measured: ours was left out" : "straight to the compute",
            0.9,
            0.98
        )
    }

    /// Connect, ask for one value, and leave.
    private static func connect(_ lab: Laboratory) throws -> Outcome {
        let password = "a password of the experiment"
        let data = lab.folder + "/scram"
        try lab.tools.makeFolder(data)
        try lab.tools.initialize(data + "/data", password: password)
        let stock = StockPostgres(
            lab.tools,
            data: data + "/data",
            sockets: try lab.sockets("scram"),
            lab.cleanup,
            password: password
        )
        try stock.start()
        defer { stock.stop() }
        var (ours, reference): ([Double], [Double]) = ([], [])
        try lab.inTurn(
            lab.runs(200, quick: 60, tiny: 5),
            [
                { _ in
                    try lab.ifOurs { server, _ in
                        let login = server.socketLogin("postgres", branch: "main")
                        ours.append(try visit(login))
                    }
                },
                { _ in reference.append(try visit(stock.login())) },
            ]
        )
        if !ours.isEmpty { lab.record("connect, select 1, disconnect", "oxbow", seconds: ours) }
        lab.record(
            "connect, select 1, disconnect",
            "PostgreSQL with SCRAM",
            seconds: reference
        )
        return lab.outcome(
            "connect",
            ours.isEmpty ? nil : Measure.median(ours),
            Measure.median(reference),
            "straight, with SCRAM",
            must: 1.5,
            aim: 1.1
        )
    }

    private static func visit(_ login: Login) throws -> Double {
        try Measure.seconds {
            let session = try Session(login)
            _ = try session.value("SELECT 1")
            session.end()
        }
    }
}
