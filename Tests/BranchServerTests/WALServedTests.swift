import Foundation
import Primitives
import Testing

/// Positions of real PostgreSQL's log.
@Suite(
    .serialized,
    .enabled(
        if: ServedStore.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no position was looked for"
    )
)
struct WALServedTests {
    /// What was known when a commit had been acknowledged.
    private struct Mark {
        let rows: Int
        let position: String
        /// The branch's last record before the commit and after its end.
        let before: LSN
        let after: LSN
    }

    private let served: ServedStore

    init() throws { served = try ServedStore.new() }

    private func head() throws -> LSN { try #require(LSN(served.tell("head main"))) }

    /// Commits rows one after the other, some of them large.
    private func commit(_ rows: ClosedRange<Int>, _ socket: String) throws -> [Mark] {
        try rows.map { row in
            let before = try head()
            // Random, so that it takes the log's room.
            let insert = """
                INSERT INTO t SELECT \(row), string_agg(gen_random_uuid()::text, '')
                    FROM generate_series(1, \(row % 4 == 0 ? 3000 : 1));
                SELECT pg_current_wal_flush_lsn();
                """
            let said = try served.sql(socket, insert).split(separator: "\n")
            try #require(said.first == "INSERT 0 1", "\(said)")
            return Mark(
                rows: row,
                position: String(said.last ?? ""),
                before: before,
                after: try head()
            )
        }
    }

    private func find(_ mark: Mark, _ name: String = "main") throws -> (found: LSN, before: LSN) {
        let said = served.tell("wal \(name) \(mark.position)")
        let words = said.split(separator: " ").compactMap { LSN(String($0)) }
        try #require(words.count == 2, "\(said)")
        return (words[0], words[1])
    }

    @Test func `a position leads to the record from which a fork has what it stands for`() throws {
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "CREATE TABLE t (n int, filler text)")
        var marks = try commit(1...4, socket)
        _ = try served.sql(socket, "CHECKPOINT; SELECT pg_switch_wal()")
        marks += try commit(5...6, socket)
        var found: [LSN] = []
        for mark in marks {
            let point = try find(mark)
            #expect(mark.before < point.found && point.found <= mark.after, "\(mark)")
            found.append(point.found)
        }
        for index in [3, 4] {
            let mark = marks[index]
            let (point, before) = try find(mark)
            #expect(served.tell("fork-at main at\(index) \(point)") == "done")
            #expect(served.tell("fork-at main before\(index) \(before)") == "done")
            let count = "SELECT max(n) FROM t"
            let there = try served.sql(served.tell("acquire at\(index)"), count)
            #expect(there == "\(mark.rows)", "\(mark)")
            let earlier = try served.sql(served.tell("acquire before\(index)"), count)
            #expect(earlier == (mark.rows == 1 ? "" : "\(mark.rows - 1)"), "\(mark)")
            for name in ["at", "before"] {
                #expect(served.tell("stop \(name)\(index)") == "done")
                #expect(served.tell("release \(name)\(index)") == "done")
            }
        }
        // The files of the log that tell are gone, and the answers are the same.
        let old = try served.sql(socket, "SELECT pg_walfile_name('\(marks[0].position)')")
        _ = try served.sql(socket, "SELECT pg_switch_wal(); CHECKPOINT; SELECT pg_switch_wal()")
        _ = try served.sql(socket, "INSERT INTO t VALUES (7); CHECKPOINT")
        let files = try served.run("ls \(served.folder)/mnt/main/pgdata/pg_wal").said
        #expect(!files.contains(old), "\(files)")
        #expect(try marks.map { try find($0).found } == found)
        try served.end()
    }

    @Test func `a position is found through a crash, in a fork, and not where it never was`() throws
    {
        let socket = served.tell("acquire main")
        _ = try served.sql(socket, "CREATE TABLE t (n int, filler text)")
        var marks = try commit(1...3, socket)
        let beyond = served.tell("wal main F/0")
        #expect(
            beyond.contains("has not reached F/0") && beyond.contains("it ends at 0/"),
            "\(beyond)"
        )
        let end = try served.sql(socket, "SELECT pg_current_wal_insert_lsn()")
        #expect(beyond.contains("ends at \(end),"), "\(beyond), not \(end)")
        #expect(kill(try served.status("main").pid, SIGKILL) == 0)
        #expect(try served.wait { try served.status("main").starts == 2 })
        #expect(served.tell("acquire main") == socket)
        marks += try commit(4...6, socket)
        for mark in marks {
            let point = try find(mark).found
            #expect(mark.before < point && point <= mark.after, "\(mark)")
        }
        #expect(served.tell("fork main copy") == "done")
        _ = try served.sql(served.tell("acquire copy"), "INSERT INTO t VALUES (100)")
        for mark in marks { #expect(try find(mark, "copy").found == find(mark).found) }
        #expect(served.tell("wal main 0/1").contains("L"))
        try served.end()
    }
}
