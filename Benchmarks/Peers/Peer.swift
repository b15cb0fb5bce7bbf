/// An engine that ours is held against: one page to a transaction, durable when that returns.
protocol Peer: Sendable {
    var name: String { get }
    /// Writes a page; each writer is one thread.
    func commit(_ page: UnsafeRawBufferPointer, at number: UInt64, writer: Int) throws
}

/// The engines of others, where this was built with them.
package enum Peers {
    /// Which versions they have.
    package static var versions: [(String, String)] {
        #if PEERS
        [
            ("sqlite", SQLitePeer.version), ("lmdb", LMDBPeer.version),
            ("rocksdb", RocksDBPeer.version),
        ]
        #else
        []
        #endif
    }

    /// Stores of all peers in a folder, each with the same first pages; none where this was built
    /// without them.
    static func open(_ folder: String, _ pages: Int, _ data: PageData) throws -> [any Peer] {
        #if PEERS
        let peers: [any Peer] = [
            try SQLitePeer(folder + "/sqlite", writers: 16),
            try LMDBPeer(folder + "/lmdb", byteLimit: 8 << 30, pages, data),
            try RocksDBPeer(folder + "/rocksdb"),
        ]
        for peer in peers where !(peer is LMDBPeer) {
            for number in 0..<pages {
                let page = data.stamped(number, UInt64(number))
                try peer.commit(page, at: UInt64(number), writer: 0)
            }
        }
        return peers
        #else
        return []
        #endif
    }

    /// Reads a second, ours and LMDB's in turns; nil where this was built without it.
    static func warmReads(
        _ context: Context,
        _ folder: String,
        _ pages: Int,
        _ data: PageData,
        _ keys: [UInt64],
        _ buffer: PageBuffer,
        ours: () throws -> Double
    ) throws -> (ours: Double, reference: Double)? {
        #if PEERS
        let peer = try LMDBPeer(folder + "/lmdb", byteLimit: 8 << 30, pages, data)
        func theirs() throws -> Double {
            Double(keys.count) / (try Measure.seconds { try peer.read(keys, into: buffer.bytes) })
        }
        _ = (try ours(), try theirs())
        return try Measure.alternate(
            context.pick(9, quick: 3, tiny: 1),
            ours: { _ in try ours() },
            reference: { _ in try theirs() }
        )
        #else
        return nil
        #endif
    }
}
