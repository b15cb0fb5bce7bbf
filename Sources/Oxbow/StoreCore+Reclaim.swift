import DiskIO
import PageStorage
import Primitives
import Synchronization
import Timelines
import WriteAheadLog

/// What a pass of reclaim did.
public struct ReclaimReport: Sendable, Equatable {
    /// How many bytes of the disk it gave back.
    public internal(set) var freedBytes: UInt64 = 0
    /// How many segments were wholly dead.
    public internal(set) var removedSegments = 0
    /// How many were written anew with what is live in them.
    public internal(set) var rewrittenSegments = 0
    /// The bytes of the log that something reaches, in what the pass looked at.
    public internal(set) var liveBytes: UInt64 = 0
    /// Where history begins: before this, nothing is kept but what branches and snapshots show.
    public internal(set) var historyFrom = LSN.zero
    /// Where it is kept record by record.
    public internal(set) var denseFrom = LSN.zero
}

extension StoreCore {
    /// Gives back the space that nothing reaches any more.
    ///
    /// 1. The cutoffs move, by a durable record.
    /// 2. A checkpoint is made, so that what was purged is gone from a durable catalog.
    /// 3. Everything is marked that this checkpoint, every other that is kept, a record that
    ///    carries a root, or a held view reaches. The log from the dense history's start on is live
    ///    as it is.
    /// 4. Segments below that with nothing live go; those with enough dead bytes are rewritten.
    ///
    /// What is not marked stays unreachable: forks and resets start from what is kept, and what
    /// starts from it is marked, or pinned below the cutoffs. So writers go on, and so do
    /// checkpoints, from 3 on.
    ///
    /// - Parameter deadShare: A segment is rewritten where at least this part of it is dead.
    func reclaim(
        deadShare: Double,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> ReclaimReport {
        reclaimLock.lock()
        defer { reclaimLock.unlock() }
        // The second lets the older superblock slot, and with it the cutoffs, go on too. Where
        // nothing was done since, a pass writes nothing: it must not take what room there is.
        for _ in 0..<2 where log.lock.withLock({ lastChange }) >= denseLimit { try checkpoint() }
        if try moveCutoffs() { try checkpoint() }
        var report = ReclaimReport()
        let catalog = try durableCatalog()
        report.historyFrom = catalog.state.historyFrom
        report.denseFrom = catalog.state.denseFrom
        let candidates = try candidates(catalog)
        var next = 0
        while next < candidates.count {
            let first = geometry.base(of: candidates[next].number)
            let limit = LSN(rawValue: first.rawValue + LiveSet.maximumStretch)
            var group: [Candidate] = []
            while next < candidates.count, geometry.base(of: candidates[next].number) < limit {
                group.append(candidates[next])
                next += 1
            }
            let live = try mark(catalog, first..<min(limit, catalog.state.denseFrom))
            report.liveBytes += live.totalBytes
            try sweep(group, live, deadShare, &report)
            progress(UInt64(next), UInt64(candidates.count))
        }
        log.lock.withLock { reclaimedAt = log.active?.number }
        return report
    }

    struct Candidate {
        let number: SegmentNumber
        let entry: SegmentEntry
    }

    /// The segments that end before the dense history begins.
    private func candidates(_ catalog: Catalog) throws(LogError) -> [Candidate] {
        var all: [Candidate] = []
        try catalog.segments.visit(nodes) { key, entry throws(LogError) in
            guard entry.end > .zero, entry.end <= catalog.state.denseFrom else { return false }
            all.append(Candidate(number: SegmentNumber(rawValue: key.low), entry: entry))
            return true
        }
        return all
    }

    /// The catalog of the last durable checkpoint, as it was written.
    private func durableCatalog() throws(LogError) -> Catalog {
        let catalog = snapshot()
        guard let newest = try catalog.checkpoints.last(nodes, where: { _ in true })?.value else {
            return catalog
        }
        var durable = Catalog(newest)
        // The list of checkpoints, and what is cut, only shrink what is marked.
        durable.checkpoints = catalog.checkpoints
        durable.state = newest.state
        return durable
    }

    /// Everything in a stretch of the log that is kept for somebody.
    func mark(_ catalog: Catalog, _ stretch: Range<LSN>) throws(LogError) -> LiveSet {
        var marker = Marker(nodes, LiveSet(stretch, geometry))
        var kept: [CheckpointEntry] = []
        try catalog.checkpoints.visit(nodes) { _, entry throws(LogError) in
            kept.append(entry)
            return true
        }
        let dense = catalog.state.denseFrom
        for checkpoint in kept {
            try marker.mark(checkpoint, birthsFrom: dense)
            try flushIfOverdue()
        }
        // In an order that is the same each time.
        let held = log.lock.withLock { views.sorted { $0.key < $1.key } }
        for (_, view) in held { try marker.mark(view) }
        try markCarriedRoots(catalog, &marker)
        return marker.live
    }

    private func markCarriedRoots(_ catalog: Catalog, _ marker: inout Marker) throws(LogError) {
        let dense = catalog.state.denseFrom
        let first = Catalog.key(geometry.segment(of: dense).rawValue)
        try snapshot().segments.visit(from: first, nodes) { key, _ throws(LogError) in
            let number = SegmentNumber(rawValue: key.low)
            // What came before is in the checkpoint that the dense history begins with.
            let roots = try indexes.roots(in: number, snapshot(), nodes)
                .filter { $0.record >= dense }
            for root in roots { try marker.markPages(root.root) }
            return true
        }
    }

    private func sweep(
        _ group: [Candidate],
        _ live: LiveSet,
        _ deadShare: Double,
        _ report: inout ReclaimReport
    ) throws(LogError) {
        for candidate in group where live.liveBytes[candidate.number] == nil {
            try checkGoing()
            try remove(candidate, &report)
        }
        for candidate in group {
            try checkGoing()
            try flushIfOverdue()
            guard let bytes = live.liveBytes[candidate.number] else { continue }
            let size = try allocated(candidate.number)
            let kept = bytes + UInt64(SegmentHeader.size + ClosingIndex.footerSize)
            guard size > kept, Double(size - kept) >= deadShare * Double(size),
                size - kept >= Self.blockOfDisk
            else { continue }
            do throws(LogError) {
                try rewrite(candidate, live, bytes, size, &report)
            } catch {
                // No room to write it anew: what was freed before may make it, next time.
                if case .disk(.full) = error { continue }
                throw error
            }
        }
    }

    /// Less cannot be given back.
    private static var blockOfDisk: UInt64 { 4096 }

    /// Throws where the store is being closed, which waits for this pass.
    private func checkGoing() throws(LogError) {
        if isClosed.load(ordering: .acquiring) { throw .closed }
    }

    private func allocated(_ number: SegmentNumber) throws(LogError) -> UInt64 {
        let file = try log.files.file(number).file
        return try LogError.disk { () throws(DiskError) in try file.allocatedBytes() }
    }

    private func remove(
        _ candidate: Candidate,
        _ report: inout ReclaimReport
    ) throws(LogError) {
        let number = candidate.number
        var freed: UInt64 = 0
        do throws(LogError) { freed = try allocated(number) } catch {
            // Gone already: the store ended between the file's end and the catalog's.
            guard case .damaged = error else { throw error }
        }
        log.files.forget(number)
        indexes.forget(number)
        do throws(DiskError) {
            try disk.remove(number.fileName)
            report.removedSegments += 1
        } catch {
            guard case .notFound = error else { throw .disk(error) }
        }
        try critical(urgent: true) { catalog, _ throws(LogError) in
            catalog.segments.remove(Catalog.key(number.rawValue))
        }
        report.freedBytes += freed
    }

    private func rewrite(
        _ candidate: Candidate,
        _ live: LiveSet,
        _ bytes: UInt64,
        _ size: UInt64,
        _ report: inout ReclaimReport
    ) throws(LogError) {
        let number = candidate.number
        var rewrite = try SegmentRewrite(number, log.files)
        try rewrite.run(end: candidate.entry.end, liveBytes: bytes) { live.contains($0) }
        indexes.forget(number)
        let after = try allocated(number)
        try critical(urgent: true) { catalog, _ throws(LogError) in
            var entry = candidate.entry
            entry.generation += 1
            catalog.segments.set(Catalog.key(number.rawValue), entry)
        }
        report.rewrittenSegments += 1
        report.freedBytes += size > after ? size - after : 0
    }
}

extension Marker {
    /// Marks a checkpoint: its catalog, and the pages of all its timelines.
    ///
    /// - Parameter birthsFrom: What a timeline began with can be asked for from here on.
    mutating func mark(_ checkpoint: CheckpointEntry, birthsFrom dense: LSN) throws(LogError) {
        let roots = checkpoint.roots
        try walk(roots.timelines, of: TimelineEntry.self) { marker, _, entry throws(LogError) in
            try marker.markPages(entry.pages.root)
            if entry.birth.lsn >= dense { try marker.markPages(entry.birthRoot) }
        }
        try walk(roots.branches, of: BranchEntry.self) { _, _, _ in }
        try walk(roots.names, of: NameEntry.self) { _, _, _ in }
        try walk(roots.snapshots, of: SnapshotEntry.self) { _, _, _ in }
        try walk(roots.checkpoints, of: CheckpointEntry.self) { _, _, _ in }
        try walk(roots.segments, of: SegmentEntry.self) { _, _, _ in }
        try walk(roots.events, of: EventEntry.self) { _, _, _ in }
        try walk(roots.expiries, of: ExpiryEntry.self) { _, _, _ in }
    }
}
