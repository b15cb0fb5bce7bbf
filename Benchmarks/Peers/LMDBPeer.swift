#if PEERS
import CLMDB
import Foundation

/// LMDB as it comes: every commit synced.
// Safe to share: set once when made; LMDB itself lets one writer in at a time.
final class LMDBPeer: Peer, @unchecked Sendable {
    static var version: String {
        "\(MDB_VERSION_MAJOR).\(MDB_VERSION_MINOR).\(MDB_VERSION_PATCH)"
    }

    let name = "LMDB"
    private var environment: OpaquePointer?
    private var table: MDB_dbi = 0

    /// Makes a store with that many pages.
    init(_ folder: String, byteLimit: Int, _ pages: Int, _ data: PageData) throws {
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        try check(mdb_env_create(&environment), "create")
        try check(mdb_env_set_mapsize(environment, byteLimit), "set the size")
        try check(mdb_env_open(environment, folder, 0, 0o600), "open")
        try transact { transaction in
            try check(
                mdb_dbi_open(transaction, nil, UInt32(MDB_CREATE | MDB_INTEGERKEY), &table),
                "open a table"
            )
            for number in 0..<pages {
                let page = data.stamped(number, UInt64(number))
                try put(page, UInt64(number), transaction)
            }
        }
    }

    deinit { mdb_env_close(environment) }

    func commit(_ page: UnsafeRawBufferPointer, at number: UInt64, writer: Int) throws {
        try transact { try put(page, number, $0) }
    }

    private func transact(_ body: (OpaquePointer?) throws -> Void) throws {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction), "begin")
        do { try body(transaction) } catch {
            mdb_txn_abort(transaction)
            throw error
        }
        try check(mdb_txn_commit(transaction), "commit")
    }

    private func put(
        _ page: UnsafeRawBufferPointer,
        _ number: UInt64,
        _ transaction: OpaquePointer?
    ) throws {
        var number = number
        try withUnsafeMutableBytes(of: &number) { bytes in
            var key = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
            var value = MDB_val(
                mv_size: page.count,
                mv_data: UnsafeMutableRawPointer(mutating: page.baseAddress)
            )
            try check(mdb_put(transaction, table, &key, &value, 0), "put")
        }
    }

    /// Copies pages out, in one transaction.
    func read(_ keys: [UInt64], into target: UnsafeMutableRawBufferPointer) throws {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction), "begin")
        defer { mdb_txn_abort(transaction) }
        for key in keys {
            var number = key
            try withUnsafeMutableBytes(of: &number) { bytes in
                var name = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
                var value = MDB_val()
                try check(mdb_get(transaction, table, &name, &value), "get")
                target.copyMemory(
                    from: UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
                )
            }
            try Stores.check(UnsafeRawBufferPointer(target), key)
        }
    }

    private func check(_ code: Int32, _ what: String) throws {
        guard code == 0 else {
            throw BenchmarkError("LMDB: \(what): \(String(cString: mdb_strerror(code)))")
        }
    }
}
#endif
