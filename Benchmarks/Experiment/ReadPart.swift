import Foundation
import Glibc

/// Reading: with all in memory, and with nothing in the kernel's.
enum ReadPart {
    static let names = ["select-cached", "select-cold", "scan-cold"]
    static let clients = 4
    private static let scan = "scan"

    static func run(_ lab: Laboratory) throws -> [Outcome] {
        try cached(lab) + cold(lab) + scans(lab)
    }

    private static func seconds(_ lab: Laboratory) -> Int { lab.seconds(10, quick: 1) }

    private static func cached(_ lab: Laboratory) throws -> [Outcome] {
        let stock = try lab.stockBench()
        let ours =
            try lab.arguments.isPeersOnly
            ? nil : lab.ourBench().straightLogin(Laboratory.bench, branch: "main")
        var (left, right): ([Double], [Double]) = ([], [])
        func selects(_ login: Login) throws -> Double {
            try Load.run(lab, login, .selects, clients: clients, seconds: seconds(lab))
        }
        for login in [ours, stock].compactMap({ $0 }) { _ = try selects(login) }
        try lab.inTurn(
            lab.runs(3, quick: 1),
            [
                { _ in if let ours { left.append(try selects(ours)) } },
                { _ in right.append(try selects(stock)) },
            ]
        )
        return [TransactionPart.rate(lab, "select-cached", left, right, "ext4", 0.85, 1)]
    }

    /// Everything that the kernel keeps of files is dropped: what runs next reads the disk.
    private static func dropCaches() throws {
        sync()
        try Data("3\n".utf8).write(to: URL(filePath: "/proc/sys/vm/drop_caches"))
    }

    private static var canDrop: Bool { access("/proc/sys/vm/drop_caches", W_OK) == 0 }

    private static func notMeasured(_ lab: Laboratory, _ name: String, _ reason: String) -> Outcome
    {
        TransactionPart.rate(lab, name, nil, nil, "not measured: \(reason)", 0.6, 0.9)
    }

    private static func cold(_ lab: Laboratory) throws -> [Outcome] {
        guard canDrop else { return [notMeasured(lab, "select-cold", "root is needed")] }
        _ = try lab.stockBench()
        var (left, right): ([Double], [Double]) = ([], [])
        try lab.inTurn(
            lab.runs(3, quick: 1),
            [
                { round in
                    if lab.arguments.isPeersOnly { return }
                    let (server, console) = try (lab.ourBench(), lab.console())
                    try server.fork("cold-\(round)", console)
                    let login = try server.straightLogin(
                        Laboratory.bench,
                        branch: "cold-\(round)"
                    )
                    try dropCaches()
                    left.append(
                        try Load.run(
                            lab,
                            login,
                            .selects,
                            clients: clients,
                            seconds: seconds(lab)
                        )
                    )
                    try server.drop("cold-\(round)", console)
                },
                { _ in
                    let stock = try lab.stock()
                    stock.stop()
                    try stock.start()
                    try dropCaches()
                    right.append(
                        try Load.run(
                            lab,
                            stock.login(Laboratory.bench),
                            .selects,
                            clients: clients,
                            seconds: seconds(lab)
                        )
                    )
                },
            ]
        )
        return [TransactionPart.rate(lab, "select-cold", left, right, "ext4", 0.6, 0.9)]
    }

    /// A table of 1 GB, read once from its beginning to its end.
    private static func scans(_ lab: Laboratory) throws -> [Outcome] {
        guard canDrop else { return [notMeasured(lab, "scan-cold", "root is needed")] }
        guard lab.context.isFull else {
            return [notMeasured(lab, "scan-cold", "a quick run has no table of 1 GB")]
        }
        let stock = try lab.stock()
        // Each unit of the scale is 12.8 MiB of pgbench_accounts.
        try lab.fillBench(stock.login(), scale: 80, name: scan)
        if !lab.arguments.isPeersOnly {
            try lab.fillBench(lab.ours().login("postgres"), scale: 80, name: scan)
        }
        var (left, right): ([Double], [Double]) = ([], [])
        try lab.inTurn(
            lab.runs(3, quick: 1),
            [
                { _ in
                    try lab.ifOurs { server, console in
                        try console.query("SUSPEND BRANCH main")
                        left.append(
                            try scanOnce(server.straightLogin(scan, branch: "main"))
                        )
                    }
                },
                { _ in
                    stock.stop()
                    try stock.start()
                    right.append(try scanOnce(stock.login(scan)))
                },
            ]
        )
        return [
            Outcome(
                "scan-cold",
                ours: left.isEmpty ? nil : Measure.median(left),
                reference: Measure.median(right),
                "ext4",
                unit: "MB/s",
                must: 0.6,
                aim: 0.9,
                isJudged: true
            )
        ]
    }

    private static func scanOnce(_ login: Login) throws -> Double {
        let session = try Session(login)
        defer { session.end() }
        let bytes = try session.value("SELECT pg_relation_size('pgbench_accounts')")
        try dropCaches()
        let seconds = try Measure.seconds {
            try session.query("SELECT sum(abalance) FROM pgbench_accounts")
        }
        return (Double(bytes) ?? 0) / seconds / 1e6
    }
}
