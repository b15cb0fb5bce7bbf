package import Primitives

/// Collects the index of a segment that is still being written, or is being scanned.
package struct SegmentIndexBuilder: Sendable {
    package private(set) var records: [RecordEntry] = []
    package private(set) var blocks: [BlockEntry] = []
    package private(set) var ranges: [RangeEntry] = []
    package private(set) var roots: [RootEntry] = []
    /// For each timeline, where its records stand in `records`; filled when somebody asks, so that
    /// writers don't pay for it.
    private var positions: [TimelineID: [UInt32]] = [:]
    private var positioned = 0

    package init() {}

    package var entryCount: Int { records.count + blocks.count + ranges.count }

    package mutating func add(_ record: RecordEntry) {
        invariant(records.last.map { $0.lsn < record.lsn } ?? true, "records out of order")
        var record = record
        // Blocks that nothing points at yet are no record of a history.
        if record.kind == .blocks { record.timeline = .none }
        records.append(record)
    }

    /// Where the records of a timeline stand in `records`, in order.
    package mutating func positions(of timeline: TimelineID) -> [UInt32] {
        while positioned < records.count {
            positions[records[positioned].timeline, default: []].append(UInt32(positioned))
            positioned += 1
        }
        return positions[timeline] ?? []
    }

    /// Adds a block of a commit.
    package mutating func add(
        _ header: BlockHeader,
        on timeline: TimelineID,
        location: Location,
        upperBound: UInt64,
        record: LSN
    ) {
        if header.kind == .rangeDeletion {
            ranges.append(
                RangeEntry(
                    timeline: timeline,
                    object: header.object,
                    from: header.page,
                    upTo: upperBound,
                    record: record
                )
            )
        } else {
            blocks.append(
                BlockEntry(
                    timeline: timeline,
                    object: header.object,
                    page: header.page,
                    record: record,
                    location: header.kind == .page ? location : .none
                )
            )
        }
    }

    package mutating func add(_ root: RootEntry) { roots.append(root) }

    /// Adds a record that was read, with what of its blocks a reader of the past looks for.
    package mutating func add(_ record: Record) {
        let meta = CommitMeta(of: record)
        add(
            RecordEntry(
                lsn: record.lsn,
                time: record.header.time,
                clock: record.header.clock,
                timeline: record.header.timeline,
                length: record.header.length,
                pages: UInt32(clamping: meta?.pages ?? 0),
                kind: record.header.kind
            )
        )
        if let root = meta?.root {
            add(RootEntry(timeline: record.header.timeline, record: record.lsn, root: root))
        }
        guard record.header.kind == .commit else { return }
        for block in record.blocks {
            add(
                block.header,
                on: block.header.timeline,
                location: block.location,
                upperBound: block.upperBound,
                record: record.lsn
            )
        }
    }
}
