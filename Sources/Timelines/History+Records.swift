import PageStorage
import Primitives
package import WriteAheadLog

extension History {
    /// The last checkpoint that the bound admits, all of it.
    func checkpoint(_ bound: Bound) throws(LogError) -> CheckpointEntry? {
        try catalog.checkpoints.last(nodes) { key in
            key.high <= bound.time.rawValue && key.low <= bound.lsn.rawValue
        }?.value
    }

    func checkpoint(after checkpoint: CheckpointEntry?) throws(LogError) -> CheckpointEntry? {
        let from = checkpoint.map { $0.key.successor } ?? .first
        return try catalog.checkpoints.first(from: from, nodes)?.value
    }

    /// The last record of a timeline that the bound admits.
    func lastRecord(
        of timeline: TimelineID,
        _ entry: TimelineEntry,
        _ bound: Bound
    ) throws(LogError) -> RecordMark? {
        if entry.isPurged { return nil }
        if bound.admits(entry.last) { return entry.last }
        guard bound.admits(entry.birth) else { return nil }
        let base = try checkpoint(bound)
        let known = try base.flatMap { base throws(LogError) in
            try timelines(of: base)[Catalog.key(timeline.rawValue)]?.last
        }
        let start = base?.cut ?? .zero
        // Only checkpoints are kept there: the state of one is the nearest that can be had.
        if start < catalog.state.denseFrom {
            guard let after = try checkpoint(after: base),
                let then = try timelines(of: after)[Catalog.key(timeline.rawValue)],
                bound.admits(then.last)
            else { return known }
            return then.last
        }
        let end = min(bound.lsn, try checkpoint(after: base)?.cut ?? .max)
        var number: SegmentNumber? = geometry.segment(of: min(end, indexes.log.end(of: catalog)))
        while let segment = try segment(atOrBefore: number), segment >= geometry.segment(of: start)
        {
            let found = try indexes.lastRecord(of: timeline, in: segment, bound, catalog, nodes)
            if let found, found.lsn >= start { return found.mark }
            number = segment.before
        }
        return known ?? entry.birth
    }

    private func segment(atOrBefore number: SegmentNumber?) throws(LogError) -> SegmentNumber? {
        guard let number else { return nil }
        return try catalog.segments.last(through: Catalog.key(number.rawValue), nodes)
            .map { SegmentNumber(rawValue: $0.key.low) }
    }

    /// The first record of a timeline after `lsn` that is kept; nil where that is its last.
    func firstRecord(
        of timeline: TimelineID,
        _ entry: TimelineEntry,
        after lsn: LSN
    ) throws(LogError) -> RecordMark? {
        if entry.isPurged || entry.last.lsn <= lsn { return nil }
        if let sparse = try firstState(of: timeline, after: lsn) { return sparse }
        let dense = catalog.state.denseFrom
        // Mostly it stands in the same segment, and no checkpoint need be looked at.
        let here = geometry.segment(of: lsn)
        if lsn >= dense, try catalog.segments.get(Catalog.key(here.rawValue), nodes) != nil,
            let next = try indexes.firstRecord(of: timeline, in: here, after: lsn, catalog, nodes)
        {
            return next.mark
        }
        // A record can stand at the cutoff itself.
        let lsn = max(lsn, LSN(rawValue: max(1, dense.rawValue) - 1))
        var base = try checkpoint(Bound(lsn: max(lsn, dense)))
        var start = lsn
        // Skips the checkpoints over which nothing was done on the timeline, in growing strides.
        let skipped = try lastCheckpoint(withoutRecordsOf: timeline, after: lsn, from: base)
        if let skipped {
            base = skipped
            start = max(lsn, LSN(rawValue: max(1, skipped.cut.rawValue) - 1))
        }
        let first = geometry.segment(of: max(start, base?.cut ?? .zero))
        var found: RecordMark?
        try catalog.segments.visit(
            from: Catalog.key(min(first, geometry.segment(of: start + 1)).rawValue),
            nodes
        ) { key, _ throws(LogError) in
            let number = SegmentNumber(rawValue: key.low)
            found = try indexes.firstRecord(
                of: timeline,
                in: number,
                after: lsn,
                catalog,
                nodes
            )?.mark
            return found == nil
        }
        return found
    }

    /// As ``firstRecord(of:_:after:)``, where only checkpoints are kept.
    private func firstState(
        of timeline: TimelineID,
        after lsn: LSN
    ) throws(LogError) -> RecordMark? {
        guard lsn < catalog.state.denseFrom else { return nil }
        var next = try checkpoint(after: try checkpoint(Bound(lsn: lsn)))
        while let checkpoint = next, checkpoint.cut <= catalog.state.denseFrom {
            let then = try timelines(of: checkpoint)[Catalog.key(timeline.rawValue)]
            if let then, then.last.lsn > lsn { return then.last }
            next = try self.checkpoint(after: checkpoint)
        }
        return nil
    }

    /// The last checkpoint by which the timeline's last record was still the one at `lsn`.
    private func lastCheckpoint(
        withoutRecordsOf timeline: TimelineID,
        after lsn: LSN,
        from base: CheckpointEntry?
    ) throws(LogError) -> CheckpointEntry? {
        func isIdle(_ checkpoint: CheckpointEntry) throws(LogError) -> Bool {
            let then = try timelines(of: checkpoint)[Catalog.key(timeline.rawValue)]
            return then.map { $0.last.lsn <= lsn } ?? true
        }
        var low = base
        if low == nil, let first = try checkpoint(after: nil), try isIdle(first) { low = first }
        var high: CheckpointEntry?
        var stride: UInt64 = 64 << 20
        while let from = low {
            let target = LSN(rawValue: from.cut.rawValue &+ stride)
            let candidate = try checkpoint(Bound(lsn: target))
            let next = candidate?.cut == from.cut ? try checkpoint(after: from) : candidate
            guard let next else { return low }
            guard try isIdle(next) else {
                high = next
                break
            }
            low = next
            stride = stride &* 2
        }
        while let from = low, let until = high {
            let middle = LSN(rawValue: (from.cut.rawValue + until.cut.rawValue) / 2)
            guard let candidate = try checkpoint(Bound(lsn: middle)) else { return low }
            if candidate.cut == from.cut {
                guard let after = try checkpoint(after: from), after.cut < until.cut else {
                    return low
                }
                if try isIdle(after) { low = after } else { high = after }
            } else if try isIdle(candidate) {
                low = candidate
            } else {
                high = candidate
            }
        }
        return low
    }
}

extension RecordEntry {
    package var mark: RecordMark { RecordMark(lsn: lsn, time: time, clock: clock) }
}

extension SegmentNumber {
    var before: SegmentNumber? { rawValue == 0 ? nil : SegmentNumber(rawValue: rawValue - 1) }
}

extension Log {
    /// A position that no record of the catalog's moment is beyond.
    func end(of catalog: Catalog) -> LSN {
        lock.lock()
        defer { lock.unlock() }
        return end
    }
}

extension History {
    /// What the index of its segment says of the record at a place; nil where that is not kept.
    package func record(at place: Place) throws(LogError) -> RecordEntry? {
        if place.mark.lsn < catalog.state.denseFrom { return nil }
        let number = geometry.segment(of: place.mark.lsn)
        let found = try indexes.lastRecord(
            of: place.timeline,
            in: number,
            Bound(lsn: place.mark.lsn),
            catalog,
            nodes
        )
        return found?.lsn == place.mark.lsn ? found : nil
    }
}
