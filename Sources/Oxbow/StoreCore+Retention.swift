import DiskIO
import PageStorage
import Primitives
import Timelines
import WriteAheadLog

extension StoreCore {
    /// The time by which expiry and history are measured. Notes a jump of the clock.
    func retentionTime() throws(LogError) -> LogTime {
        let (now, jump) = log.lock.withLock {
            let jump = retention.look(calendar: clock.now(), monotonic: clock.monotonic())
            return (retention.trusted, jump)
        }
        if let jump {
            do throws(OxbowError) {
                _ = try change(Author("clock"), urgency: .makingRoom, "note a jump of the clock") {
                    _,
                    _ throws(LogError) in .success(.clockJump(jump))
                }
            } catch {
                // The jump is held all the same; that it is not noted loses nothing.
            }
        }
        return now
    }

    /// The same for who only tells of it: nothing is noted.
    var toldRetentionTime: LogTime {
        log.lock.withLock {
            var retention = retention
            _ = retention.look(calendar: clock.now(), monotonic: clock.monotonic())
            return retention.trusted
        }
    }

    /// Moves the start of history on, as the windows say: what is older than they reach is not
    /// resolved any more, once the record of it is durable. Returns whether anything moved, and
    /// whether timelines lost their pages by it.
    func moveCutoffs() throws(LogError) -> (isAny: Bool, purged: Bool) {
        let now = try retentionTime()
        let catalog = snapshot()
        let window = try longestWindow(catalog, at: now)
        let old = LogTime(rawValue: now.rawValue &- min(now.rawValue, window.nanoseconds))
        let byTime = try lastCheckpoint(catalog) { $0.time <= old }?.cut ?? .zero
        let all = try firstCheckpoint(catalog, from: start(ofLast: window.bytes, catalog))
        let half = try firstCheckpoint(catalog, from: start(ofLast: window.bytes / 2, catalog))
        let limit = denseLimit
        let pinned = log.lock.withLock { pins.values.min() ?? .max }
        let dense = try unpinned(min(max(byTime, half), limit), pinned, catalog)
        let from = try unpinned(min(max(byTime, all), dense), pinned, catalog)
        let last = log.lock.withLock { lastChange }
        // Past the last change a move lets go of nothing, and takes room itself.
        func isWorthIt(_ old: LSN, _ new: LSN) -> Bool { new > old && last >= old }
        guard
            isWorthIt(catalog.state.denseFrom, dense) || isWorthIt(catalog.state.historyFrom, from)
        else { return (false, false) }
        return try cut(
            catalog,
            dense: max(dense, catalog.state.denseFrom),
            from: max(from, catalog.state.historyFrom)
        )
    }

    /// Where the last so many bytes of the log begin.
    private func start(ofLast bytes: UInt64, _ catalog: Catalog) throws(LogError) -> LSN {
        let end = log.lock.withLock { log.end }
        var rest = bytes
        var number: SegmentNumber? = geometry.segment(of: end)
        while let wanted = number {
            let found = try catalog.segments.last(through: Catalog.key(wanted.rawValue), nodes)
            guard let found else { break }
            let segment = SegmentNumber(rawValue: found.key.low)
            let until = found.value.end > .zero ? found.value.end : end
            let first = geometry.firstRecord(of: segment)
            let size = until > first ? until.rawValue - first.rawValue : 0
            if size >= rest { return LSN(rawValue: until.rawValue - rest) }
            rest -= size
            number = segment.rawValue == 0 ? nil : SegmentNumber(rawValue: segment.rawValue - 1)
        }
        return .zero
    }

    /// Both superblock slots' checkpoints, and the log from the older, stay.
    var denseLimit: LSN { checkpointLock.withLock { min(olderCut, superblock.cut) } }

    /// A cutoff that leaves what is being read of the past: at most at the checkpoint before the
    /// lowest pin.
    private func unpinned(
        _ cutoff: LSN,
        _ pinned: LSN,
        _ catalog: Catalog
    ) throws(LogError) -> LSN {
        if cutoff <= pinned { return cutoff }
        return try lastCheckpoint(catalog) { $0.cut <= pinned }?.cut ?? .zero
    }

    /// What the branch that asks for most asks for, by a window of its own or the store's. One that
    /// was deleted asks as long as it can be undeleted by that.
    func longestWindow(_ catalog: Catalog, at now: LogTime) throws(LogError) -> Window {
        var longest: Window?
        try catalog.branches.visit(nodes) { _, entry throws(LogError) in
            let window = entry.window ?? catalog.state.window
            if entry.death.map({ window.covers($0.time, at: now) }) ?? true {
                longest = Window(
                    nanoseconds: max(longest?.nanoseconds ?? 0, window.nanoseconds),
                    bytes: max(longest?.bytes ?? 0, window.bytes)
                )
            }
            return true
        }
        return longest ?? catalog.state.window
    }

    private func lastCheckpoint(
        _ catalog: Catalog,
        where fits: (CheckpointEntry) -> Bool
    ) throws(LogError) -> CheckpointEntry? {
        try catalog.checkpoints.last(nodes) { key in
            fits(
                CheckpointEntry(
                    cut: LSN(rawValue: key.low),
                    time: LogTime(rawValue: key.high),
                    roots: CatalogRoots(),
                    state: catalog.state
                )
            )
        }?.value
    }

    /// The cut of the first checkpoint at or after `lsn`; of the last one where there is none. What
    /// stands before the first checkpoint of all is history too: from zero on, all of it is kept.
    private func firstCheckpoint(_ catalog: Catalog, from lsn: LSN) throws(LogError) -> LSN {
        if lsn == .zero { return .zero }
        let before = try catalog.checkpoints.last(nodes) { $0.low < lsn.rawValue }
        let after = try catalog.checkpoints.first(from: before?.key.successor ?? .first, nodes)
        return after?.value.cut ?? before?.value.cut ?? .zero
    }

    /// Appends, durably, that history begins later, and lets the timelines that nothing kept shows
    /// any more go of their pages.
    private func cut(
        _ catalog: Catalog,
        dense: LSN,
        from: LSN
    ) throws(LogError) -> (isAny: Bool, purged: Bool) {
        var dropped: [MapKey] = []
        try catalog.checkpoints.visit(nodes) { key, entry throws(LogError) in
            guard entry.cut < from, dropped.count < 500 else { return false }
            dropped.append(key)
            return true
        }
        // Where more go than one record can name, the rest follows with the next pass.
        let reached = dropped.count < 500 ? from : LSN(rawValue: (dropped.last?.low ?? 0) + 1)
        var timelines = try purgeable(catalog, before: reached)
        let change = LifecycleChange.cutoff(
            denseFrom: dense,
            historyFrom: reached,
            dropped: dropped
        )
        let isDone = try critical(urgency: .makingRoom) { now, nodes throws(LogError) -> Bool in
            // Somebody may have begun to read there since the pins were looked at.
            let lowest = pins.values.min() ?? .max
            if dense > now.state.denseFrom, lowest < dense { return false }
            if reached > now.state.historyFrom, lowest < reached { return false }
            _ = try append(LifecycleRecord(change, Authorship()), .makingRoom, &now, nodes)
            return true
        }
        guard isDone else { return (false, false) }
        let purged = !timelines.isEmpty
        while !timelines.isEmpty {
            try purge(Array(timelines.prefix(500)))
            timelines.removeFirst(min(500, timelines.count))
        }
        try log.flush()
        return (true, purged)
    }

    private func purge(_ timelines: [TimelineID]) throws(LogError) {
        try critical(urgency: .makingRoom) { catalog, nodes throws(LogError) in
            var closed: [TimelineID] = []
            for id in timelines {
                // It may have been undeleted since it was looked at.
                guard let entry = try catalog.timeline(id, nodes), entry.isClosed else { continue }
                closed.append(id)
            }
            let change = LifecycleRecord(.purge(closed), Authorship())
            _ = try append(change, .makingRoom, &catalog, nodes)
        }
    }

    /// The timelines that ended, by a reset or a deletion, before history begins.
    private func purgeable(_ catalog: Catalog, before start: LSN) throws(LogError) -> [TimelineID] {
        var ended: [TimelineID] = []
        try catalog.branches.visit(nodes) { _, entry throws(LogError) in
            let path = entry.path
            for (place, interval) in path.enumerated() {
                let isLast = place + 1 == path.count
                let end = isLast ? entry.death?.lsn : path[place + 1].from
                if let end, end < start { ended.append(interval.timeline) }
            }
            return true
        }
        var purgeable: [TimelineID] = []
        for id in ended {
            let entry = try catalog.timeline(id, nodes)
            if let entry, !entry.isPurged { purgeable.append(id) }
        }
        return purgeable
    }
}

extension Window {
    /// Whether a moment is not older than the window's time reaches.
    fileprivate func covers(_ moment: LogTime, at now: LogTime) -> Bool {
        now.rawValue - min(now.rawValue, moment.rawValue) < nanoseconds
    }
}
