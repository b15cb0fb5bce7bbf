import BranchServer
import Foundation
import Testing

/// The parts that need no PostgreSQL.
@Suite struct PartTests {
    @Test func `versions are read from what programs say`() {
        #expect(PostgresInstallation.parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0)") == 15)
        #expect(PostgresInstallation.parse("postgres (PostgreSQL) 18beta1") == 18)
        #expect(PostgresInstallation.parse("something else 15") == nil)
    }

    @Test func `what is not installed is named with the command that installs it`() {
        let error = #expect(throws: ComputeError.self) {
            try PostgresInstallation.matching(14, among: [.init(version: 15, folder: "/b")])
        }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("apt-get install postgresql-14") == true)
    }

    @Test func `a look at a data folder is understood`() throws {
        let found = PostgresPreflight(
            """
            version 15
            folder /m/pgdata
            link pg_wal /m/elsewhere
            fresh
            prepared
            prepared
            pg_control version number:            1300
            Data page checksum version:           1
            max_connections setting:              100
            max_prepared_xacts setting:           7
            """
        )
        #expect(found.version == 15 && found.isFresh && found.preparedCount == 2)
        #expect(found.hasChecksums && !found.setsFullPageWrites)
        try found.expectSound(name: "main", home: "/m")
        #expect(throws: ComputeError.self) { try found.expectSound(name: "main", home: "/m/else") }
        #expect(
            PostgresSettings.floors(found.control)
                == ["max_connections": "100", "max_prepared_transactions": "7"]
        )
    }

    @Test func `a folder without a cluster, and one that recovers, are refused`() {
        for said in ["missing\n", "version 15\nsignal standby.signal\n"] {
            #expect(throws: ComputeError.self) {
                try PostgresPreflight(said).expectSound(name: "main", home: "/m")
            }
        }
    }

    @Test(arguments: [13, 14, 15, 16])
    func `no setting weakens what keeps data safe`(version: Int) {
        for writesFullPages in [true, false] {
            let settings = PostgresSettings(version: version, writesFullPages: writesFullPages)
            let forced = Dictionary(
                settings.forced(sockets: "/s", folder: "/f").map { ($0.name, $0.value) }
            ) { _, last in last }
            #expect(forced["fsync"] == "on" && forced["data_sync_retry"] == "off")
            #expect(forced["listen_addresses"] == "" && forced["archive_mode"] == "off")
            #expect(forced["synchronous_commit"] == nil)
            #expect(forced["full_page_writes"] == (writesFullPages ? "on" : nil))
            #expect((forced["recovery_init_sync_method"] != nil) == (version >= 14))
        }
        let settings = PostgresSettings(version: version)
        #expect(settings.file(data: "/d", fullPageWrites: true).contains("full_page_writes = on"))
    }

    @Test(arguments: [1, 4, 16, 64, 1024])
    func `a log has room for two of its files, and checkpoints are near`(segment: Int) throws {
        let control = ["Bytes per WAL segment": "\(segment << 20)"]
        var settings = PostgresSettings(version: 15)
        settings.segmentMegabytes = try #require(PostgresSettings.segmentMegabytes(control))
        func size(_ name: String, _ fullPageWrites: Bool) throws -> Int {
            let file = settings.file(data: "/d", fullPageWrites: fullPageWrites)
            let line = try #require(file.split(separator: "\n").first { $0.hasPrefix(name) })
            return try #require(Int(line.filter(\.isNumber)))
        }
        for fullPageWrites in [true, false] {
            #expect(try size("min_wal_size", fullPageWrites) >= 2 * segment)
            #expect(try size("max_wal_size", fullPageWrites) >= 2 * segment)
        }
        #expect(try size("max_wal_size", false) == max(16, 2 * segment))
    }

    @Test func `a log is bounded and keeps the last`() throws {
        let folder = NSTemporaryDirectory() + "oxbow-log-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let log = ComputeLog(folder)
        for line in 0..<50_000 {
            log.append(Array("line \(line) \(String(repeating: "x", count: 90))\n".utf8))
        }
        #expect(log.text.utf8.count <= 2 * ComputeLog.fileBytes)
        #expect(log.text.utf8.count > ComputeLog.fileBytes)
        #expect(log.lastLines.contains("line 49999"))
        #expect(ComputeLog(folder).lastLines.contains("line 49999"))
    }

    @Test func `programs run with the environment that is told and nothing open`() throws {
        let (said, status) = try ComputeProcess.run(
            ComputeProgram(
                path: "/bin/sh",
                arguments: ["-c", "ls /proc/self/fd | wc -l; env | sort; echo $0; exit 3", "a b"]
            )
        )
        // The three, and the one of the list.
        #expect(said.hasPrefix("4\nHOME=/nonexistent\nLC_ALL=C.UTF-8\n"))
        #expect(said.hasSuffix("a b\n"))
        #expect(status.code == 3)
    }

    @Test func `a program that is missing is named`() {
        let error = #expect(throws: ComputeError.self) {
            try ComputeProcess.run(ComputeProgram(path: "/nowhere/postgres", arguments: []))
        }
        #expect(error?.message.contains("/nowhere/postgres") == true)
    }

    @Test(arguments: ["", "../x", "a/b", "a b", String(repeating: "x", count: 64)])
    func `a key that could be a path is refused`(key: String) {
        let options = ComputeOptions(mountPath: "/m", runPath: "/r", logPath: "/l")
        #expect(throws: ComputeError.self) { try ComputePlace(options, key: key) }
    }

    @Test func `forks are prepared less often the less they are taken`() {
        var pace = PreparationPace()
        var total: UInt64 = 0
        for _ in 0..<20 {
            total += pace.restNanoseconds
            pace.spoiled()
        }
        #expect(pace.restNanoseconds == PreparationPace.mostNanoseconds)
        // In ten minutes of changes, some twenty.
        #expect(total > 600_000_000_000)
        pace.given()
        #expect(pace.restNanoseconds == PreparationPace.leastNanoseconds)
    }

    @Test func `mounts of other servers are told from all others`() {
        let table = """
            /dev/vda / ext4 rw 0 0
            oxbow /run/oxbow-1/mnt fuse.oxbow rw,nosuid 0 0
            oxbow /mnt/my\\040data\\134x fuse.oxbow rw 0 0
            sshfs /mnt/far fuse.sshfs rw 0 0
            oxbow
            """
        #expect(OtherMounts.places(in: table) == ["/run/oxbow-1/mnt", "/mnt/my data\\x"])
        #expect(OtherMounts.places(in: "") == [])
    }
}
