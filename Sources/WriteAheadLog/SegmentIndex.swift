package import DiskIO
package import Primitives

/// The index of one sealed segment, in memory: what point look-ups and views of the past ask.
package struct SegmentIndex: Sendable {
    package let records: [RecordEntry]
    /// Places in `records`, by timeline and LSN.
    package let order: [UInt32]
    /// By timeline, object, page and LSN.
    package let blocks: [BlockEntry]
    package let ranges: [RangeEntry]
    package let roots: [RootEntry]

    package init(_ builder: SegmentIndexBuilder) {
        records = builder.records
        order = builder.byTimeline()
        blocks = builder.blocks.sorted(by: BlockEntry.inOrder)
        ranges = builder.ranges
        roots = builder.roots
    }

    /// About how much memory it takes.
    package var byteCount: Int {
        records.count * MemoryLayout<RecordEntry>.stride + order.count * 4
            + blocks.count * MemoryLayout<BlockEntry>.stride
            + ranges.count * MemoryLayout<RangeEntry>.stride
            + roots.count * MemoryLayout<RootEntry>.stride
    }

    /// Reads a segment's closing index; nil where it has no sound one.
    package init?(_ file: any File, _ number: SegmentNumber) throws(DiskError) {
        guard let closing = try ClosingIndex.load(file, number),
            let records = try closing.read(.records, file),
            let order = try closing.read(.order, file),
            let blocks = try closing.read(.blocks, file),
            let ranges = try closing.read(.ranges, file),
            let roots = try closing.read(.roots, file)
        else { return nil }
        do throws(Malformed) {
            self.records = try Self.decode(records) { reader throws(Malformed) in
                try RecordEntry(from: &reader)
            }
            self.order = try Self.decode(order) { reader throws(Malformed) in
                try reader.fixed("order")
            }
            self.blocks = try Self.decode(blocks) { reader throws(Malformed) in
                try BlockEntry(from: &reader)
            }
            self.ranges = try Self.decode(ranges) { reader throws(Malformed) in
                try RangeEntry(from: &reader)
            }
            self.roots = try Self.decode(roots) { reader throws(Malformed) in
                try RootEntry(from: &reader)
            }
        } catch { return nil }
        let recordCount = self.records.count
        guard self.order.allSatisfy({ $0 < recordCount }) else { return nil }
    }

    private static func decode<Entry>(
        _ bytes: [UInt8],
        _ next: (inout ByteReader) throws(Malformed) -> Entry
    ) throws(Malformed) -> [Entry] {
        var reader = ByteReader(bytes)
        var entries: [Entry] = []
        while reader.remaining > 0 { entries.append(try next(&reader)) }
        return entries
    }
}

extension SegmentIndex {
    /// Reads the closing index of a segment, or builds it from the records where it has none.
    package static func load(
        _ number: SegmentNumber,
        _ files: SegmentFiles,
        upTo end: LSN
    ) throws(LogError) -> SegmentIndex {
        let file = try files.file(number)
        do throws(DiskError) {
            if let index = try SegmentIndex(file.file, number) { return index }
        } catch { throw .disk(error) }
        guard file.extents == nil else {
            throw .damaged(
                Damage(
                    at: files.geometry.base(of: number),
                    "the index of the rewritten segment \(number)"
                )
            )
        }
        return SegmentIndex(try build(file, upTo: end))
    }

    /// Builds an index from a segment's records, all of which must be sound.
    package static func build(
        _ file: SegmentFile,
        upTo end: LSN
    ) throws(LogError) -> SegmentIndexBuilder {
        var scanner = SegmentScanner(file: file.file, header: file.header)
        var builder = SegmentIndexBuilder()
        do throws(DiskError) {
            while scanner.position < end, let record = try scanner.next() { builder.add(record) }
        } catch { throw .disk(error) }
        guard scanner.position == end else {
            throw .damaged(Damage(at: scanner.position, "a record is not what was written"))
        }
        return builder
    }
}
