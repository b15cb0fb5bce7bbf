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
    private let byteLimit: Int
    private let lock = Lock()
    private var kept: [SegmentNumber: SegmentIndex] = [:]
    private var byteCount = 0
    /// Least recently used first.
    private var order: [SegmentNumber] = []

    package init(log: Log, byteLimit: Int) {
        self.log = log
        self.byteLimit = byteLimit
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
        let index = try sealed(segment, catalog, nodes)
        let count = index.order.countOfFirst {
            let record = index.records[Int($0)]
            return record.timeline < timeline
                || record.timeline == timeline && bound.admits(record.lsn, record.time)
        }
        guard count > 0 else { return nil }
        let record = index.records[Int(index.order[count - 1])]
        return record.timeline == timeline ? record : nil
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
        let index = try sealed(segment, catalog, nodes)
        let count = index.order.countOfFirst {
            let record = index.records[Int($0)]
            return record.timeline < timeline || record.timeline == timeline && record.lsn <= lsn
        }
        guard count < index.order.count else { return nil }
        let record = index.records[Int(index.order[count])]
        return record.timeline == timeline ? record : nil
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
        let index = try sealed(segment, catalog, nodes)
        let start = index.blocks.countOfFirst { $0.timeline < timeline }
        let end = index.blocks.countOfFirst { $0.timeline <= timeline }
        return TimelineChanges(
            blocks: index.blocks[start..<end].filter { fits($0.timeline, $0.record) },
            ranges: index.ranges.filter { fits($0.timeline, $0.record) },
            roots: index.roots.filter { fits($0.timeline, $0.record) }
        )
    }

    /// The records of a segment that carry roots.
    package func roots(
        in segment: SegmentNumber,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> [RootEntry] {
        if let roots = log.withOpenIndex(segment, { $0.roots }) { return roots }
        return try sealed(segment, catalog, nodes).roots
    }

    /// The index of a segment that nothing is appended to.
    package func sealed(
        _ segment: SegmentNumber,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> SegmentIndex {
        if let known = lock.withLock({ use(segment) }) { return known }
        let entry = try catalog.segments.get(Catalog.key(segment.rawValue), nodes)
        guard let entry else {
            throw .damaged(
                Damage(at: log.options.geometry.base(of: segment), "no such segment is kept")
            )
        }
        let index = try SegmentIndex.load(segment, log.files, upTo: entry.end)
        lock.withLock { keep(index, segment) }
        return index
    }

    /// Forgets a segment's index, since the segment was replaced or removed.
    package func forget(_ segment: SegmentNumber) {
        lock.withLock {
            guard let index = kept.removeValue(forKey: segment) else { return }
            byteCount -= index.byteCount
            order.removeAll { $0 == segment }
        }
    }

    private func use(_ segment: SegmentNumber) -> SegmentIndex? {
        guard let index = kept[segment] else { return nil }
        if order.last != segment, let place = order.firstIndex(of: segment) {
            order.remove(at: place)
            order.append(segment)
        }
        return index
    }

    private func keep(_ index: SegmentIndex, _ segment: SegmentNumber) {
        guard kept[segment] == nil else { return }
        kept[segment] = index
        order.append(segment)
        byteCount += index.byteCount
        while byteCount > byteLimit, order.count > 1 {
            let oldest = order.removeFirst()
            byteCount -= kept.removeValue(forKey: oldest)?.byteCount ?? 0
        }
    }
}
