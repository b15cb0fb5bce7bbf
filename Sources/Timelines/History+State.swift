package import PageStorage
import Primitives
package import WriteAheadLog

extension History {
    /// All pages of a timeline after a record of it: the map of the nearest checkpoint before, or
    /// one that a record carries, and what came since.
    package func state(at origin: Origin) throws(LogError) -> PageMap {
        guard let entry = try catalog.timeline(origin.timeline, nodes), !entry.isPurged else {
            throw .notKept(origin.lsn)
        }
        if entry.last.lsn <= origin.lsn { return entry.pages }
        return try past(origin, entry)
    }

    private func past(_ origin: Origin, _ entry: TimelineEntry) throws(LogError) -> PageMap {
        if origin.lsn < catalog.state.denseFrom { return try sparse(origin, entry) }
        let timeline = origin.timeline
        var base = PageMap()
        var start = entry.birth.lsn
        let checkpoint = try checkpoint(Bound(lsn: origin.lsn))
        if let checkpoint,
            let then = try timelines(of: checkpoint)[Catalog.key(timeline.rawValue)]
        {
            if then.last.lsn == origin.lsn { return then.pages }
            base = then.pages
            start = checkpoint.cut
        } else if entry.birthRoot != .none {
            base = PageMap(root: entry.birthRoot)
        } else {
            base = try beginning(of: entry)
        }
        let changes = try changes(of: timeline, from: start, through: origin.lsn)
        if let root = changes.roots.max(by: { $0.record < $1.record }) {
            base = PageMap(root: root.root)
            start = root.record + 1
        }
        var map = PageMap(root: base.root, older: base.delta)
        map.newer = Self.delta(of: changes, from: start)
        return map
    }

    /// What a timeline that was forked off a head began with. The parent's record may be older than
    /// the history kept, but the last checkpoint before the birth still shows it.
    private func beginning(of entry: TimelineEntry) throws(LogError) -> PageMap {
        guard let origin = entry.origin, !entry.beganEmpty else { return PageMap() }
        if let checkpoint = try checkpoint(Bound(lsn: entry.birth.lsn)),
            let then = try timelines(of: checkpoint)[Catalog.key(origin.timeline.rawValue)],
            then.last.lsn == origin.lsn, !then.isPurged
        {
            return then.pages
        }
        return try state(at: origin)
    }

    /// Where only checkpoints are kept, the state is that of the first one after the record.
    private func sparse(_ origin: Origin, _ entry: TimelineEntry) throws(LogError) -> PageMap {
        let before = try checkpoint(Bound(lsn: origin.lsn))
        if let after = try checkpoint(after: before),
            let then = try timelines(of: after)[Catalog.key(origin.timeline.rawValue)],
            then.last.lsn == origin.lsn, !then.isPurged
        {
            return then.pages
        }
        throw .notKept(origin.lsn)
    }

    private func changes(
        of timeline: TimelineID,
        from start: LSN,
        through end: LSN
    ) throws(LogError) -> TimelineChanges {
        var all = TimelineChanges()
        let last = geometry.segment(of: end)
        let first = Catalog.key(geometry.segment(of: start).rawValue)
        try catalog.segments.visit(from: first, nodes) { key, _ throws(LogError) in
            let number = SegmentNumber(rawValue: key.low)
            guard number <= last else { return false }
            let part = try indexes.changes(
                of: timeline,
                in: number,
                from: start,
                through: end,
                catalog,
                nodes
            )
            all.blocks += part.blocks
            all.ranges += part.ranges
            all.roots += part.roots
            return true
        }
        return all
    }

    /// The changes in the order of their commits; within one, ranges went first.
    private static func delta(of changes: TimelineChanges, from start: LSN) -> Delta {
        let blocks = changes.blocks.sorted { $0.record < $1.record }
        let ranges = changes.ranges.sorted { $0.record < $1.record }
        var delta = Delta()
        var nextRange = 0
        for block in blocks where block.record >= start {
            while nextRange < ranges.count, ranges[nextRange].record <= block.record {
                delta.apply(ranges[nextRange], from: start)
                nextRange += 1
            }
            let key = MapKey(block.object, block.page)
            if block.location == .none {
                delta.delete(key)
            } else {
                delta.write(key, block.location)
            }
        }
        for range in ranges[nextRange...] { delta.apply(range, from: start) }
        return delta
    }
}

extension Delta {
    fileprivate mutating func apply(_ range: RangeEntry, from start: LSN) {
        guard range.record >= start else { return }
        delete(KeyRange(MapKey(range.object, range.from), MapKey(range.object, range.upTo)))
    }
}
