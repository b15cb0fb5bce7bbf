package import PageStorage
import Primitives
package import WriteAheadLog

extension Catalog {
    /// Registers a segment that the log went on in, and so the end of the one before it.
    package mutating func began(_ header: SegmentHeader) {
        if let before = header.predecessor, before == activeSegment {
            segments.set(
                Self.key(before.rawValue),
                SegmentEntry(
                    predecessor: activePredecessor,
                    end: header.predecessorEnd,
                    generation: 0
                )
            )
        }
        segments.set(
            Self.key(header.number.rawValue),
            SegmentEntry(predecessor: header.predecessor, end: .zero, generation: 0)
        )
        activeSegment = header.number
        activePredecessor = header.predecessor
    }

    /// Lets a record of an earlier process take effect again.
    package mutating func replay(_ record: Record, _ nodes: NodeSource) throws(LogError) {
        let mark = RecordMark(
            lsn: record.lsn,
            time: record.header.time,
            clock: record.header.clock
        )
        switch record.header.kind {
        case .commit:
            try replayCommit(record, mark, nodes)
        case .lifecycle:
            let change = try record.decode { meta throws(Malformed) in
                try LifecycleRecord(decoding: meta)
            }
            try promote(for: change.change, nodes)
            apply(change, mark)
        case .checkpoint:
            let entry = try record.decode { meta throws(Malformed) in
                var reader = ByteReader(meta)
                return try CheckpointEntry(decoding: &reader)
            }
            checkpoints.set(entry.key, entry)
        case .blocks, .mark: break
        }
    }

    private mutating func replayCommit(
        _ record: Record,
        _ mark: RecordMark,
        _ nodes: NodeSource
    ) throws(LogError) {
        let id = record.header.timeline
        guard let meta = CommitMeta(of: record),
            try timelines.promote(Self.key(id.rawValue), nodes)
        else { throw .damaged(Damage(at: record.lsn, "a commit on no timeline")) }
        let changes = record.blocks.map { PageChange($0) }
        let count: Int? = change(id) { entry in entry.take(changes, root: meta.root, mark) }
        pendingPages += count ?? 0
    }
}

/// What one block of a commit does.
package struct PageChange: Sendable {
    package var kind: BlockKind
    package var key: MapKey
    package var upperBound: UInt64
    package var location: Location

    package init(kind: BlockKind, key: MapKey, upperBound: UInt64, location: Location) {
        self.kind = kind
        self.key = key
        self.upperBound = upperBound
        self.location = location
    }

    init(_ block: RecordBlock) {
        self.init(
            kind: block.header.kind,
            key: MapKey(block.header.object, block.header.page),
            upperBound: block.upperBound,
            location: block.location
        )
    }
}

extension TimelineEntry {
    /// Lets a commit take effect, and returns how many changes wait for a checkpoint by it.
    package mutating func take(
        _ changes: [PageChange],
        root: Location?,
        _ mark: RecordMark
    ) -> Int {
        invariant(mark.lsn > last.lsn, "a commit before the last one")
        last = mark
        if let root {
            pages = PageMap(root: root)
            return 1
        }
        for change in changes { pages.newer.take(change) }
        return changes.count
    }
}

extension Delta {
    package mutating func take(_ change: PageChange) {
        switch change.kind {
        case .page: write(change.key, change.location)
        case .pageDeletion: delete(change.key)
        case .rangeDeletion:
            delete(KeyRange(change.key, MapKey(change.key.high, change.upperBound)))
        case .node: break
        }
    }
}

extension NodeSource {
    /// Reads a node of whichever map into the cache.
    package func loadAny(_ location: Location) throws(LogError) -> CachedNode {
        switch try log.readBlock(location).header.object {
        case Location.kind: return try node(location, of: Location.self)
        case TimelineEntry.kind: return try node(location, of: TimelineEntry.self)
        case BranchEntry.kind: return try node(location, of: BranchEntry.self)
        case NameEntry.kind: return try node(location, of: NameEntry.self)
        case SnapshotEntry.kind: return try node(location, of: SnapshotEntry.self)
        case SegmentEntry.kind: return try node(location, of: SegmentEntry.self)
        case ExpiryEntry.kind: return try node(location, of: ExpiryEntry.self)
        case CheckpointEntry.kind: return try node(location, of: CheckpointEntry.self)
        case EventEntry.kind: return try node(location, of: EventEntry.self)
        default: throw .damaged(Damage(at: location.lsn, "a node of no known map"))
        }
    }
}
