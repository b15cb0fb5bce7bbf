package import Primitives

/// The meta bytes of a commit: how many pages it changed and, where it was too large for one
/// record, the root of the map that it made.
package struct CommitMeta: Sendable, Equatable {
    package var pages: UInt64
    package var root: Location?

    package init(pages: UInt64, root: Location?) {
        self.pages = pages
        self.root = root
    }

    /// Nil for the usual commit, which has no meta bytes: its pages are its blocks.
    package init?(of record: Record) {
        guard record.header.kind == .commit else { return nil }
        if record.meta.isEmpty {
            self.init(pages: UInt64(record.blocks.count), root: nil)
            return
        }
        guard let meta = try? CommitMeta(decoding: record.meta) else { return nil }
        self = meta
    }

    package init(decoding bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes)
        pages = try reader.fixed("commit's pages")
        root = try Location(from: &reader)
        try reader.end("commit")
    }

    package func encoded() -> [UInt8] {
        guard let root else { return [] }
        var writer = ByteWriter()
        writer.append(fixed: pages)
        root.encodeFixed(to: &writer)
        return writer.bytes
    }
}
