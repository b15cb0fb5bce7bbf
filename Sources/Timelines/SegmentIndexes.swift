package import PageStorage
package import Primitives
package import WriteAheadLog

/// How far a look-up may go: records with an LSN and a time at or below these.
package struct Bound: Sendable {
    package var lsn: LSN
    package var time: LogTime

    package init(lsn: LSN = .max, time: LogTime = LogTime(rawValue: .max)) {
        self.lsn = lsn
        self.time = time
    }

    package func admits(_ lsn: LSN, _ time: LogTime) -> Bool {
        lsn <= self.lsn && time <= self.time
    }

    package func admits(_ mark: RecordMark) -> Bool { admits(mark.lsn, mark.time) }
}

/// What happened to the pages of one timeline in a stretch of one segment.
package struct TimelineChanges: Sendable {
    package var blocks: [BlockEntry] = []
    package var ranges: [RangeEntry] = []
    package var roots: [RootEntry] = []
}

/// The indexes of all segments: those still being written, from the log's memory, and a bounded
/// number of sealed ones, from their files.
// Safe to share: all mutable state is guarded by `lock`.
package final class SegmentIndexes: @unchecked Sendable {
    package let log: Log
    private let lock = Lock()
    private var moments: KeptParts<SegmentMoments>
    private var changes: KeptParts<SegmentChanges>

    package init(log: Log, byteLimit: Int) {
        self.log = log
        moments = KeptParts(byteLimit: byteLimit / 2)
        changes = KeptParts(byteLimit: byteLimit / 2)
    }

    /// The last record of a timeline in a segment that the bound admits.
    package func lastRecord(
        of timeline: TimelineID,
        in segment: SegmentNumber,
        _ bound: Bound,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> RecordEntry? {
        let inOpen = log.withOpenIndex(segment) { index -> RecordEntry? in
            let places = index.positions(of: timeline)
            let count = places.countOfFirst {
                bound.admits(index.records[Int($0)].lsn, index.records[Int($0)].time)
            }
            return count == 0 ? nil : index.records[Int(places[count - 1])]
        }
        if case .some(let record) = inOpen { return record }
        return try moments(segment, catalog, nodes)
            .last(of: timeline) { bound.admits($0, $1) }
    }

    /// The first record of a timeline in a segment after `lsn`.
    package func firstRecord(
        of timeline: TimelineID,
        in segment: SegmentNumber,
        after lsn: LSN,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> RecordEntry? {
        let inOpen = log.withOpenIndex(segment) { index -> RecordEntry? in
            let places = index.positions(of: timeline)
            let count = places.countOfFirst { index.records[Int($0)].lsn <= lsn }
            return count == places.count ? nil : index.records[Int(places[count])]
        }
        if case .some(let record) = inOpen { return record }
        return try moments(segment, catalog, nodes).first(of: timeline, after: lsn)
    }

    /// What the commits of a timeline after `from` and up to `through` did, in one segment.
    package func changes(
        of timeline: TimelineID,
        in segment: SegmentNumber,
        from: LSN,
        through: LSN,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> TimelineChanges {
        func fits(_ line: TimelineID, _ record: LSN) -> Bool {
            line == timeline && from <= record && record <= through
        }
        let inOpen = log.withOpenIndex(segment) { index -> TimelineChanges in
            TimelineChanges(
                blocks: index.blocks.filter { fits($0.timeline, $0.record) },
                ranges: index.ranges.filter { fits($0.timeline, $0.record) },
                roots: index.roots.filter { fits($0.timeline, $0.record) }
            )
        }
        if let inOpen { return inOpen }
        let part = try changes(segment, catalog, nodes)
        return TimelineChanges(
            blocks: try part.blocks(of: timeline, from: from, through: through),
            ranges: part.ranges.filter { fits($0.timeline, $0.record) },
            roots: part.roots.filter { fits($0.timeline, $0.record) }
        )
    }

    /// The records of a segment that carry roots.
    package func roots(
        in segment: SegmentNumber,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> [RootEntry] {
        if let roots = log.withOpenIndex(segment, { $0.roots }) { return roots }
        return try changes(segment, catalog, nodes).roots
    }

    private func moments(
        _ segment: SegmentNumber,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> SegmentMoments {
        if let known = lock.withLock({ moments[segment] }) { return known }
        let part: SegmentMoments = try load(segment, catalog, nodes)
        lock.withLock { moments.keep(part, segment) }
        return part
    }

    private func changes(
        _ segment: SegmentNumber,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> SegmentChanges {
        if let known = lock.withLock({ changes[segment] }) { return known }
        let part: SegmentChanges = try load(segment, catalog, nodes)
        lock.withLock { changes.keep(part, segment) }
        return part
    }

    private func load<Part: SegmentIndexPart>(
        _ segment: SegmentNumber,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> Part {
        let entry = try catalog.segments.get(Catalog.key(segment.rawValue), nodes)
        guard let entry else {
            throw .damaged(
                Damage(at: log.options.geometry.base(of: segment), "no such segment is kept")
            )
        }
        return try Part.load(segment, log.files, upTo: entry.end)
    }

    /// Forgets a segment's index, since the segment was replaced or removed.
    package func forget(_ segment: SegmentNumber) {
        lock.withLock {
            moments.forget(segment)
            changes.forget(segment)
        }
    }
}

/// A bounded number of parts of indexes: the one used longest ago goes first.
private struct KeptParts<Part: SegmentIndexPart> {
    private let byteLimit: Int
    private var parts: [SegmentNumber: (part: Part, used: UInt64)] = [:]
    private var byteCount = 0
    private var uses: UInt64 = 0

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    subscript(segment: SegmentNumber) -> Part? {
        mutating get {
            uses += 1
            parts[segment]?.used = uses
            return parts[segment]?.part
        }
    }

    mutating func keep(_ part: Part, _ segment: SegmentNumber) {
        guard parts[segment] == nil else { return }
        uses += 1
        parts[segment] = (part, uses)
        byteCount += part.byteCount
        while byteCount > byteLimit, parts.count > 1,
            let oldest = parts.min(by: { $0.value.used < $1.value.used })?.key
        {
            forget(oldest)
        }
    }

    mutating func forget(_ segment: SegmentNumber) {
        byteCount -= parts.removeValue(forKey: segment)?.part.byteCount ?? 0
    }
}
