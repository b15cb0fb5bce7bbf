#if PEERS
import CSQLite
import Foundation

/// SQLite with a write-ahead log that is synced with each commit.
// Safe to share: each writer has a connection of its own, and the lock is held while one commits.
final class SQLitePeer: Peer, @unchecked Sendable {
    static var version: String { String(cString: sqlite3_libversion()) }

    let name = "SQLite"
    private var connections: [OpaquePointer?] = []
    private var statements: [OpaquePointer?] = []
    // Waiting in line beats SQLite's own polling of a busy file.
    private let lock = NSLock()

    init(_ folder: String, writers: Int) throws {
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        for writer in 0..<writers {
            var connection: OpaquePointer?
            try check(sqlite3_open(folder + "/data", &connection), "open")
            connections.append(connection)
            sqlite3_busy_timeout(connection, 10_000)
            try run("PRAGMA journal_mode = WAL", connection)
            try run("PRAGMA synchronous = FULL", connection)
            if writer == 0 {
                try run("CREATE TABLE pages (number INTEGER PRIMARY KEY, bytes BLOB)", connection)
            }
            var statement: OpaquePointer?
            try check(
                sqlite3_prepare_v2(
                    connection,
                    "INSERT OR REPLACE INTO pages VALUES (?, ?)",
                    -1,
                    &statement,
                    nil
                ),
                "prepare"
            )
            statements.append(statement)
        }
    }

    deinit {
        for statement in statements { sqlite3_finalize(statement) }
        for connection in connections { sqlite3_close(connection) }
    }

    func commit(_ page: UnsafeRawBufferPointer, at number: UInt64, writer: Int) throws {
        let statement = statements[writer]
        lock.lock()
        defer { lock.unlock() }
        sqlite3_reset(statement)
        sqlite3_bind_int64(statement, 1, Int64(number))
        sqlite3_bind_blob(statement, 2, page.baseAddress, Int32(page.count), nil)
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard code == SQLITE_DONE else { throw BenchmarkError("SQLite: \(code)") }
    }

    private func run(_ text: String, _ connection: OpaquePointer?) throws {
        try check(sqlite3_exec(connection, text, nil, nil, nil), text)
    }

    private func check(_ code: Int32, _ what: String) throws {
        guard code == SQLITE_OK else { throw BenchmarkError("SQLite: \(what): \(code)") }
    }
}
#endif
