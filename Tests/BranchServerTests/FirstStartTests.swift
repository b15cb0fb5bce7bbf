import Foundation
import Oxbow
import ServerFixture
import Testing
import Volume

/// The first start of a server, and what is left where it is killed in the middle of that.
@Suite(
    .serialized,
    .enabled(
        if: ServedStore.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no server was tested"
    )
)
struct FirstStartTests {
    /// What `initdb` makes, early and late.
    private static let parts = [
        "PG_VERSION", "base/1/PG_VERSION", "base/5/PG_VERSION", "global/pg_control", "pg_hba.conf",
        "postgresql.conf",
    ]

    private func all(_ branch: Branch) throws -> [LSN] {
        var all: [LSN] = []
        while case let page = try branch.history(from: .oldest, after: all.last, limit: 1000),
            !page.isEmpty
        { all += page.map(\.lsn) }
        return all
    }

    /// How much a moment has of a cluster in its place.
    private func parts(_ branch: Branch, _ lsn: LSN) throws -> Int {
        let view = try branch.view(at: branch.point(at: .lsn(lsn)))
        guard try PastFiles.areHeld(by: view) else { return 0 }
        let files = try PastFiles(view)
        return Self.parts.count { (try? files.resolve("/pgdata/\($0)")) != nil }
    }

    @Test func `whatever a killed first start left, the next one makes whole`() throws {
        let server = try RunningServer.new()
        try server.stop()
        // What a killed server leaves is what the store showed at one of its records.
        var store = try Store.open(server.data)
        let main = try store.branch("main")
        let all = try all(main)
        var (before, after) = (0, all.count - 1)
        while after - before > 1 {
            let middle = (before + after) / 2
            if try parts(main, all[middle]) > 0 { after = middle } else { before = middle }
        }
        #expect(try parts(main, all[after]) == Self.parts.count)
        try store.close()
        try #require(before > 100)
        // The second is before the first, and so still in the history.
        for lsn in [all[before], all[before / 2]] {
            store = try Store.open(server.data)
            try store.branch("main").reset(to: store.branch("main").point(at: .lsn(lsn)))
            try store.close()
            // The last that a first start makes.
            try FileManager.default.removeItem(atPath: server.data + "/server/server.crt")
            try server.start()
            let sql = "CREATE TABLE t AS SELECT 7 n; SELECT n FROM t"
            #expect(try server.sql("postgres", sql) == "7")
            let left = try server.run("ls -A \(server.runFolder())/mnt/all/main").said
            #expect(left == ".oxbow\npgdata", "\(left)")
            try server.stop()
        }
        try FileManager.default.removeItem(atPath: server.folder)
    }
}
