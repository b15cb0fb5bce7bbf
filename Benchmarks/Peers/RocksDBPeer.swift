#if PEERS
import CRocksDB
import Foundation

/// RocksDB with its log synced by every write, and LZ4 for its tables.
// Safe to share: set once when made; RocksDB takes writes from any thread.
final class RocksDBPeer: Peer, @unchecked Sendable {
    // Its C face does not tell.
    static var version: String { "of the system" }

    let name = "RocksDB"
    private let options = rocksdb_options_create()
    private let writeOptions = rocksdb_writeoptions_create()
    private let database: OpaquePointer?

    init(_ folder: String) throws {
        rocksdb_options_set_create_if_missing(options, 1)
        rocksdb_options_set_compression(options, Int32(rocksdb_lz4_compression))
        rocksdb_writeoptions_set_sync(writeOptions, 1)
        var failure: UnsafeMutablePointer<CChar>?
        database = rocksdb_open(options, folder, &failure)
        try Self.check(failure, "open")
    }

    deinit {
        if let database { rocksdb_close(database) }
        rocksdb_writeoptions_destroy(writeOptions)
        rocksdb_options_destroy(options)
    }

    func commit(_ page: UnsafeRawBufferPointer, at number: UInt64, writer: Int) throws {
        var key = number.bigEndian
        var failure: UnsafeMutablePointer<CChar>?
        withUnsafeBytes(of: &key) { bytes in
            rocksdb_put(
                database,
                writeOptions,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                bytes.count,
                page.baseAddress?.assumingMemoryBound(to: CChar.self),
                page.count,
                &failure
            )
        }
        try Self.check(failure, "put")
    }

    private static func check(_ failure: UnsafeMutablePointer<CChar>?, _ what: String) throws {
        guard let failure else { return }
        defer { rocksdb_free(failure) }
        throw BenchmarkError("RocksDB: \(what): \(String(cString: failure))")
    }
}
#endif
