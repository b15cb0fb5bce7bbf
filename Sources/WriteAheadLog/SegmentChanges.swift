package import DiskIO
package import Primitives

/// What the commits of a sealed segment did to pages: what views of the past ask. The entries of
/// pages stay bytes until they are asked for.
package struct SegmentChanges: Sendable {
    private static let entrySize = 48

    /// By timeline, object, page and LSN.
    private let blocks: [UInt8]
    package let ranges: [RangeEntry]
    package let roots: [RootEntry]
    private let lsn: LSN

    /// Of a segment that has no closing index.
    package init(_ builder: SegmentIndexBuilder, at lsn: LSN) {
        blocks = ClosingIndex.Part.blocks.encode(builder, nil)
        ranges = builder.ranges
        roots = builder.roots
        self.lsn = lsn
    }

    /// Reads what a closing index says; nil where it is not what was written.
    package init?(_ closing: ClosingIndex, _ file: any File, at lsn: LSN) throws(LogError) {
        let parts = try LogError.disk { () throws(DiskError) in
            (
                try closing.read(.blocks, file), try closing.read(.ranges, file),
                try closing.read(.roots, file)
            )
        }
        guard let blocks = parts.0, let ranges = parts.1, let roots = parts.2 else { return nil }
        self.blocks = blocks
        self.lsn = lsn
        do throws(Malformed) {
            self.ranges = try SegmentIndex.decode(ranges) { reader throws(Malformed) in
                try RangeEntry(from: &reader)
            }
            self.roots = try SegmentIndex.decode(roots) { reader throws(Malformed) in
                try RootEntry(from: &reader)
            }
        } catch { return nil }
    }

    /// About how much memory it takes.
    package var byteCount: Int {
        blocks.count + ranges.count * MemoryLayout<RangeEntry>.stride
            + roots.count * MemoryLayout<RootEntry>.stride
    }

    /// The pages that the commits of a timeline between two positions, both included, wrote or
    /// deleted, by object, page and LSN.
    package func blocks(
        of timeline: TimelineID,
        from: LSN,
        through: LSN
    ) throws(LogError) -> [BlockEntry] {
        let places = 0..<blocks.count / Self.entrySize
        let start = places.countOfFirst { word($0, 0) < timeline.rawValue }
        let end = places.countOfFirst { word($0, 0) <= timeline.rawValue }
        var found: [BlockEntry] = []
        for place in start..<end {
            let record = word(place, 24)
            guard from.rawValue <= record, record <= through.rawValue else { continue }
            found.append(try entry(place))
        }
        return found
    }

    private func entry(_ place: Int) throws(LogError) -> BlockEntry {
        let start = place * Self.entrySize
        do throws(Malformed) {
            var reader = ByteReader(Array(blocks[start..<start + Self.entrySize]))
            return try BlockEntry(from: &reader)
        } catch { throw .damaged(Damage(at: lsn, "an index of pages: \(error.what)")) }
    }

    private func word(_ place: Int, _ offset: Int) -> UInt64 {
        let start = place * Self.entrySize + offset
        invariant(start >= 0 && start + 8 <= blocks.count, "a word outside of the pages")
        return unsafe blocks.withUnsafeBytes {
            unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        }
    }
}

/// A part of the index of a sealed segment, which is cached by itself.
package protocol SegmentIndexPart: Sendable {
    init?(_ closing: ClosingIndex, _ file: any File, at lsn: LSN) throws(LogError)
    init(_ builder: SegmentIndexBuilder, at lsn: LSN)
    var byteCount: Int { get }
}

extension SegmentChanges: SegmentIndexPart {}
extension SegmentMoments: SegmentIndexPart {}

extension SegmentIndexPart {
    /// Reads it from a segment's closing index, or builds it from the records where that is not
    /// sound.
    package static func load(
        _ number: SegmentNumber,
        _ files: SegmentFiles,
        upTo end: LSN
    ) throws(LogError) -> Self {
        let file = try files.file(number)
        let lsn = files.geometry.base(of: number)
        let closing = try LogError.disk { () throws(DiskError) in
            try ClosingIndex.load(file.file, file.header.number)
        }
        if let closing, let part = try Self(closing, file.file, at: lsn) { return part }
        guard file.extents == nil else {
            throw .damaged(Damage(at: lsn, "the index of the rewritten segment \(number)"))
        }
        return Self(try SegmentIndex.build(file, upTo: end), at: lsn)
    }
}
