import Foundation

/// pgbench's TPC-B on a branch, straight to its compute, against the same on file systems.
enum TransactionPart {
    static let clients = [1, 4]
    static let names =
        clients.map { "tpcb-\($0)" } + clients.map { "tpcb-btrfs-\($0)" }

    static func run(_ lab: Laboratory) throws -> [Outcome] {
        let stock = try lab.stockBench()
        let btrfs = Result { try lab.btrfsBench() }
        let ours =
            try lab.arguments.isPeersOnly
            ? nil : lab.ourBench().straightLogin(Laboratory.bench, branch: "main")
        var rates: [Int: Rates] = [:]
        for count in clients {
            var rate = Rates()
            try lab.inTurn(
                lab.runs(3, quick: 1),
                [
                    { _ in if let ours { rate.ours.append(try transactions(lab, ours, count)) } },
                    { _ in rate.ext4.append(try transactions(lab, stock, count)) },
                    { _ in
                        guard let login = try? btrfs.get() else { return }
                        rate.btrfs.append(try transactions(lab, login, count))
                    },
                ]
            )
            rates[count] = rate
            for (system, values) in [
                ("oxbow, straight", rate.ours), ("PostgreSQL on ext4", rate.ext4),
                ("PostgreSQL on btrfs", rate.btrfs),
            ] where !values.isEmpty {
                lab.record(
                    Series("pgbench TPC-B, \(count) clients", system, unit: "tps", values)
                )
            }
        }
        let reason = if case .failure(let error) = btrfs { "not measured: \(error)" } else { "" }
        let note = try ours.map { try pages($0) } ?? ""
        return clients.map { count in
            rate(
                lab,
                "tpcb-\(count)",
                rates[count]?.ours,
                rates[count]?.ext4,
                "ext4",
                0.85,
                1.2,
                count == clients.first ? note : ""
            )
        }
            + clients.map { count in
                rate(
                    lab,
                    "tpcb-btrfs-\(count)",
                    rates[count]?.ours,
                    rates[count]?.btrfs,
                    reason.isEmpty ? "btrfs" : reason,
                    1.8,
                    4,
                    ""
                )
            }
    }

    private struct Rates {
        var ours: [Double] = []
        var ext4: [Double] = []
        var btrfs: [Double] = []
    }

    private static func transactions(
        _ lab: Laboratory,
        _ login: Login,
        _ clients: Int
    ) throws -> Double {
        let session = try Session(login)
        try session.query("CHECKPOINT")
        session.end()
        let seconds = lab.seconds(30, quick: 2)
        let checkpointer = Checkpointer(login, everySeconds: Double(seconds) / 4)
        let rate = try Load.run(lab, login, .transactions, clients: clients, seconds: seconds)
        _ = try checkpointer.end()
        return rate
    }

    /// Whether pages are still logged as they are: the server turns that on with the first write
    /// that came in pieces.
    private static func pages(_ login: Login) throws -> String {
        let session = try Session(login)
        defer { session.end() }
        let setting = try session.value("SHOW full_page_writes")
        return setting == "off"
            ? "full_page_writes is off: no write was cut"
            : "full_page_writes is \(setting): writes were cut, or there are no checksums"
    }

    /// A line of transactions in a second.
    static func rate(
        _ lab: Laboratory,
        _ name: String,
        _ ours: [Double]?,
        _ reference: [Double]?,
        _ referenceName: String,
        _ must: Double,
        _ aim: Double,
        _ note: String = ""
    ) -> Outcome {
        func median(_ values: [Double]?) -> Double? {
            (values ?? []).isEmpty ? nil : Measure.median(values ?? [])
        }
        return Outcome(
            name,
            ours: median(ours),
            reference: median(reference),
            referenceName,
            unit: "tps",
            must: must,
            aim: aim,
            isJudged: lab.context.isFull,
            note: note
        )
    }
}
