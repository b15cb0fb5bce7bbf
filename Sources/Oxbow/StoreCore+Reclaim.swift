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
    /// How many were written anew with what is live in them, each for itself or several as one.
    public internal(set) var rewrittenSegments = 0
    /// How many stay as they are since there is no room to write what is live in them anew.
    public internal(set) var segmentsWithoutRoom = 0
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
    /// 1. Where room is wanted, and the next segment is made, the log goes on there: the one before
    ///    it can be given back, too. The cutoffs move, by a durable record.
    /// 2. A checkpoint is made, so that what was purged is gone from a durable catalog.
    /// 3. Everything is marked that this checkpoint, every other that is kept, a record that
    ///    carries a root, or a held view reaches. The log from the dense history's start on is live
    ///    as it is.
    /// 4. Segments below that with nothing live go; those with enough dead bytes are rewritten,
    ///    nearly dead ones that follow each other into one file.
    ///
    /// What is not marked stays unreachable: forks and resets start from what is kept, and what
    /// starts from it is marked, or pinned below the cutoffs. So writers go on, and so do
    /// checkpoints, from 3 on.
    ///
    /// Files that are damaged stay, which is said when all others were looked at.
    ///
    /// - Parameter thorough: Whether room is wanted, however little of a segment is dead.
    func reclaim(
        thorough: Bool,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> ReclaimReport {
        passLock.take()
        defer { passLock.giveBack() }
        return try pass(thorough: thorough, progress: progress)
    }

    /// As ``reclaim(thorough:progress:)``, with `passLock` held.
    func pass(
        thorough: Bool,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> ReclaimReport {
        // Also where it fails: what stood in its way does mostly so the next moment.
        defer { log.lock.withLock { reclaimedAt = log.active?.number } }
        if thorough {
            _ = try critical(urgency: .makingRoom) { _, _ throws(LogError) in try log.goOnInSpare()
            }
        }
        for _ in 0..<3 { guard try letGo(thorough: thorough), thorough else { break } }
        var report = ReclaimReport()
        var damage: LogError?
        let catalog = try durableCatalog()
        report.historyFrom = catalog.state.historyFrom
        report.denseFrom = catalog.state.denseFrom
        let candidates = try candidates(catalog)
        var next = 0
        while next < candidates.count {
            let first = geometry.base(of: candidates[next].span.first)
            let limit = LSN(rawValue: first.rawValue + LiveSet.maximumStretch)
            // What is wider than a stretch, no pass wrote: it stays as it is.
            let count = candidates[next...].prefix { $0.end <= limit }.count
            guard count > 0 else {
                next += 1
                continue
            }
            let live = try mark(catalog, first..<min(limit, catalog.state.denseFrom))
            report.liveBytes += live.totalBytes
            let deadShare = thorough ? 0.06 : 0.5
            try sweep(candidates[next..<next + count], live, deadShare, &report, &damage)
            next += count
            progress(UInt64(next), UInt64(candidates.count))
        }
        try log.lookAtRoom()
        if let damage { throw damage }
        return report
    }

    /// Lets the superblock's slots and the cutoffs, which stay behind both, go on. Returns whether
    /// timelines were purged: then the checkpoints before that, which show them, can go, too.
    ///
    /// Where nothing was done since the last pass, it writes nothing: it must not take what room
    /// there is.
    private func letGo(thorough: Bool) throws(LogError) -> Bool {
        try log.lookAtRoom()
        for _ in 0..<2 {
            let (last, hasRoom) = log.lock.withLock { () -> (LSN, Bool) in
                (self.lastChange, self.hasRoom)
            }
            guard last >= denseLimit || thorough && hasRoom && !activeHoldsLimit else { break }
            try checkpoint()
        }
        let moved = try moveCutoffs()
        if moved.isAny { try checkpoint() }
        return moved.purged
    }

    /// Whether all but the segment that the log is in can be given back.
    private var activeHoldsLimit: Bool {
        let number = geometry.segment(of: denseLimit)
        return log.lock.withLock { log.active.map { $0.number <= number } ?? true }
    }

    /// A file of segments that end before the dense history begins.
    private struct Candidate {
        let span: SegmentSpan
        var segments: [(number: SegmentNumber, entry: SegmentEntry)]

        var end: LSN { segments.last?.entry.end ?? .zero }
    }

    private func candidates(_ catalog: Catalog) throws(LogError) -> [Candidate] {
        var all: [Candidate] = []
        try catalog.segments.visit(nodes) { key, entry throws(LogError) in
            guard entry.end > .zero, entry.end <= catalog.state.denseFrom else { return false }
            let number = SegmentNumber(rawValue: key.low)
            if all.last?.span.contains(number) ?? false {
                all[all.count - 1].segments.append((number, entry))
            } else {
                let span = log.files.span(of: number)
                all.append(Candidate(span: span, segments: [(number, entry)]))
            }
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
        _ group: ArraySlice<Candidate>,
        _ live: LiveSet,
        _ deadShare: Double,
        _ report: inout ReclaimReport,
        _ damage: inout LogError?
    ) throws(LogError) {
        var run: [Living] = []
        var dead: [Candidate] = []
        var runs: [[Living]] = []
        for candidate in group {
            let bytes = candidate.segments.reduce(0) { $0 + (live.liveBytes[$1.number] ?? 0) }
            guard bytes > 0 else {
                dead.append(candidate)
                continue
            }
            if run.reduce(bytes, { $0 + $1.liveBytes }) > Self.joinLimit {
                runs.append(run)
                run = []
            }
            run.append(Living(candidate: candidate, liveBytes: bytes))
        }
        runs.append(run)
        while !dead.isEmpty {
            try remove(dead.prefix(Self.removedAtOnce), &report)
            dead.removeFirst(min(dead.count, Self.removedAtOnce))
        }
        runs.reverse()
        while let run = runs.popLast() {
            if run.isEmpty { continue }
            try checkGoing()
            try flushIfOverdue()
            do throws(LogError) {
                try rewriteIfWorthIt(run, live, deadShare, &report)
            } catch {
                switch error {
                // A part of it needs less room, and gives back more for the next.
                case .disk(.full) where run.count > 1:
                    let half = run.count / 2
                    runs += [Array(run[half...]), Array(run[..<half])]
                case .disk(.full): report.segmentsWithoutRoom += 1
                case .damaged(let found):
                    damage = damage ?? error
                    let number = geometry.segment(of: found.lsn)
                    let place = run.firstIndex { $0.candidate.span.contains(number) }
                    // What is on both sides of it can still go into one file each.
                    guard let place, run.count > 1 else { continue }
                    runs += [Array(run[(place + 1)...]), Array(run[..<place])]
                default: throw error
                }
            }
        }
    }

    /// A file with something live in it.
    private struct Living {
        let candidate: Candidate
        let liveBytes: UInt64
    }

    /// Files that follow each other are rewritten as one up to so many live bytes, of which its
    /// header and index are then a small part.
    private static var joinLimit: UInt64 { 1 << 20 }

    /// One section of the commit lock tells the catalog of so many.
    private static var removedAtOnce: Int { 256 }

    /// Less cannot be given back.
    private static var blockOfDisk: UInt64 { 4096 }

    private func rewriteIfWorthIt(
        _ run: [Living],
        _ live: LiveSet,
        _ deadShare: Double,
        _ report: inout ReclaimReport
    ) throws(LogError) {
        var size: UInt64 = 0
        var kept = UInt64(SegmentHeader.size + ClosingIndex.footerSize)
        for file in run {
            size += try allocated(file.candidate.span)
            kept += file.liveBytes
        }
        guard size > kept, Double(size - kept) >= deadShare * Double(size),
            size - kept >= Self.blockOfDisk
        else { return }
        try rewrite(run, live, size, &report)
    }

    private func allocated(_ span: SegmentSpan) throws(LogError) -> UInt64 {
        let file = try log.files.file(span.first).file
        return try LogError.disk { () throws(DiskError) in try file.allocatedBytes() }
    }

    /// Removes files in which nothing is live. The catalog hears of it when no crash brings them
    /// back, which nobody would find then.
    private func remove(
        _ dead: ArraySlice<Candidate>,
        _ report: inout ReclaimReport
    ) throws(LogError) {
        for candidate in dead {
            try checkGoing()
            do throws(LogError) { report.freedBytes += try allocated(candidate.span) } catch {
                // Gone already: the store ended between the file's end and the catalog's.
                guard case .damaged = error else { throw error }
            }
            log.files.forget(candidate.span)
            for segment in candidate.segments { indexes.forget(segment.number) }
            do throws(DiskError) {
                try disk.remove(candidate.span.fileName)
                report.removedSegments += candidate.segments.count
            } catch {
                guard case .notFound = error else { throw .disk(error) }
            }
        }
        try LogError.disk { () throws(DiskError) in try disk.syncFolder() }
        try critical(urgency: .makingRoom) { catalog, _ throws(LogError) in
            for candidate in dead {
                for segment in candidate.segments {
                    catalog.segments.remove(Catalog.key(segment.number.rawValue))
                }
            }
        }
    }

    private func rewrite(
        _ run: [Living],
        _ live: LiveSet,
        _ size: UInt64,
        _ report: inout ReclaimReport
    ) throws(LogError) {
        let sources = run.map {
            SegmentRewrite.Source(
                $0.candidate.span,
                end: $0.candidate.end,
                liveBytes: $0.liveBytes
            )
        }
        var rewrite = SegmentRewrite(sources, log.files)
        let generation = try rewrite.run { live.contains($0) }
        let after = try allocated(rewrite.span)
        let segments = run.flatMap(\.candidate.segments)
        for segment in segments { indexes.forget(segment.number) }
        try critical(urgency: .makingRoom) { catalog, _ throws(LogError) in
            for (number, entry) in segments {
                let key = Catalog.key(number.rawValue)
                if live.liveBytes[number] == nil {
                    catalog.segments.remove(key)
                } else {
                    var entry = entry
                    entry.generation = generation
                    catalog.segments.set(key, entry)
                }
            }
        }
        report.rewrittenSegments += segments.count
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
