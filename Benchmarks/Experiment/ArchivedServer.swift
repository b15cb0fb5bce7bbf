import Foundation
import Glibc

/// What people have for recovery today: stock PostgreSQL whose log is archived, and a base backup.
final class ArchivedServer {
    private let server: StockPostgres
    private let archive: String
    private let backup: String
    private let tools: PostgresTools

    init(_ lab: Laboratory) throws {
        tools = lab.tools
        let folder = lab.folder + "/archived"
        archive = folder + "/wal"
        backup = folder + "/base"
        for path in [folder, archive] { try tools.makeFolder(path) }
        try lab.copy(lab.ready().data, to: folder + "/data")
        server = StockPostgres(
            tools,
            data: folder + "/data",
            sockets: try lab.sockets("archived"),
            lab.cleanup,
            settings: ["archive_mode=on", "archive_command=cp %p \(archive)/%f"]
        )
        try server.start()
        let login = server.login()
        try Tool.run(
            tools.unprivileged
                + [
                    tools.path("pg_basebackup"), "-D", backup, "-X", "none", "-c", "fast",
                    "--no-sync",
                ],
            environment: login.environment
        )
        try Tool.run(["sync", "-f", backup])
    }

    var login: Login { server.login(Laboratory.database) }

    /// What happened since the base backup: some seconds of pgbench, the same for ours.
    func work(_ lab: Laboratory) throws {
        let seconds = lab.pick(10, quick: 2, tiny: 1)
        let scale = lab.pick(10, quick: 2, tiny: 1)
        try lab.fillBench(server.login(), scale: scale, name: "work")
        let login = server.login("work")
        _ = try Load.run(lab, login, .transactions, clients: 2, seconds: seconds)
        try lab.ifOurs { server, _ in
            try lab.fillBench(server.login("postgres"), scale: scale, name: "work")
            let login = server.login("work")
            _ = try Load.run(lab, login, .transactions, clients: 2, seconds: seconds)
        }
    }

    /// Restores the base backup and replays to a moment, until that can be written to.
    func recover(
        _ lab: Laboratory,
        _ accident: Accident,
        _ round: Int,
        _ tally: inout Tally
    ) throws {
        let data = lab.folder + "/archived/restored"
        let start = Measure.now()
        try finishSegment()
        try Tool.run(["cp", "-a", backup, data])
        _ = FileManager.default.createFile(atPath: data + "/recovery.signal", contents: nil)
        try tools.own(data + "/recovery.signal")
        let restored = StockPostgres(
            tools,
            data: data,
            sockets: try lab.sockets("restored"),
            lab.cleanup,
            settings: [
                "restore_command=cp \(archive)/%f %p", "recovery_target_action=promote",
                "recovery_target_time=\(accident.postgresMoment(round))",
            ]
        )
        try restored.launch()
        let question = "SELECT pg_is_in_recovery() || ' ' || (\(lab.question))"
        let arrival = try restored.firstRow(question, in: Laboratory.database, since: start) {
            $0.hasPrefix("false")
        }
        try accident.expectRescued(String(arrival.value.dropFirst(6)), at: accident.moment(round))
        tally.add(durable: nil, arrival)
        restored.stop(crash: true)
        try FileManager.default.removeItem(atPath: data)
    }

    /// What was written last is not archived yet: asks for that, and waits for it.
    private func finishSegment() throws {
        let session = try Session(server.login())
        defer { session.end() }
        let name = try session.value("SELECT pg_walfile_name(pg_switch_wal())")
        while !FileManager.default.fileExists(atPath: archive + "/" + name) {
            let failed = try session.value("SELECT failed_count FROM pg_stat_archiver")
            guard failed == "0" else { throw BenchmarkError("WAL is not archived") }
            usleep(2_000)
        }
    }
}
