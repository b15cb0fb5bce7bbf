import DiskIO
import PageStorage
import Primitives
import Timelines
import WriteAheadLog

/// Takes nodes to the log.
struct LogSink: NodeSink {
    let core: StoreCore

    func write(_ nodes: [[UInt8]], kind: UInt64, level: Int) throws(LogError) -> [Location] {
        var locations: [Location] = []
        var buffer = BlockBuffer()
        let limit = core.geometry.maximumRecordBytes - RecordHeader.size
        for node in nodes {
            let size = BlockBuffer.size(ofPayload: node.count)
            if buffer.byteCount + size > limit {
                locations += try core.append(
                    .blocks,
                    timeline: .none,
                    blocks: buffer,
                    urgency: .makingRoom
                )
                buffer.removeAll()
            }
            buffer.append(.node, payload: node, object: kind, page: UInt64(level))
        }
        if !buffer.isEmpty {
            locations += try core.append(
                .blocks,
                timeline: .none,
                blocks: buffer,
                urgency: .makingRoom
            )
        }
        invariant(locations.count == nodes.count, "nodes went astray")
        try core.flushIfOverdue()
        return locations
    }
}

extension StoreCore {
    /// Writes down what a map has in memory.
    func settle(_ map: PageMap) throws(OxbowError) -> PageMap {
        try attempt("write down a map") { () throws(LogError) in try settled(map) }
    }

    func settled(_ map: PageMap) throws(LogError) -> PageMap {
        if map.isClean { return map }
        let delta = map.delta
        let changes = delta.pages.entries.map { entry in
            (key: entry.key, value: entry.value == .none ? nil : Optional(entry.value))
        }
        let writer = MapWriter<Location>(nodes, LogSink(core: self))
        return PageMap(root: try writer.apply(changes, deleted: delta.ranges, to: map.root))
    }

    /// Writes down the whole store as it is at one moment, its cut, beside all writers:
    ///
    /// 1. In the critical section, every map's newest layer is put aside: that is the cut.
    /// 2. What was put aside is merged into new nodes, page maps first, since the catalog's maps
    ///    point at them.
    /// 3. The checkpoint's record, with all roots, is appended, and the maps in memory go over to
    ///    the new roots.
    /// 4. It is flushed, and one superblock slot is pointed at it.
    ///
    /// A crash before 4 leaves the checkpoint before this one, and the log from its cut.
    func checkpoint() throws(LogError) {
        checkpointLock.lock()
        defer { checkpointLock.unlock() }
        try checkpointHeld()
    }

    /// Call with `checkpointLock` held.
    func checkpointHeld() throws(LogError) {
        let (frozen, cut, time, appended) = log.lock.withLock {
            let frozen = catalog
            catalog.freeze()
            return (frozen, log.end, log.lastTime, log.appendedBytes)
        }
        let record: (appended: LSN, length: UInt64)
        do throws(LogError) {
            record = try write(frozen, cut: cut, time: time)
            try log.flush()
            // The next opening looks after the indexes of what it replays, and only of that.
            while try log.writeClosingIndex() {}
            while log.lock.withLock({ !unindexed.isEmpty }) { try indexOneLeftOver() }
        } catch {
            log.lock.withLock { catalog.thaw() }
            throw error
        }
        var next = superblock
        next.sequence += 1
        next.checkpoint = record.appended
        next.checkpointLength = record.length
        next.cut = cut
        try save(next, closedCleanly: false)
        olderCut = superblock.cut
        superblock = next
        log.lock.withLock { appendedAtCheckpoint = appended }
    }

    /// Writes a superblock that knows what is durable now. Call with `checkpointLock` held.
    func save(
        _ block: Superblock,
        closedCleanly: Bool,
        durable: LSN? = nil
    ) throws(LogError) {
        var block = block
        block.durable = durable ?? log.durable
        block.closedCleanly = closedCleanly
        block.highestSegment = log.lock.withLock { log.active?.number.next ?? block.highestSegment }
        do throws(DiskError) { try block.save(to: superblockFile) } catch {
            log.poison(error)
            throw .poisoned(error)
        }
    }

    private func write(
        _ frozen: Catalog,
        cut: LSN,
        time: LogTime
    ) throws(LogError) -> (appended: LSN, length: UInt64) {
        let merged = try mergePages(frozen)
        let roots = try mergeCatalog(frozen, merged)
        let entry = CheckpointEntry(cut: cut, time: time, roots: roots, state: frozen.state)
        var meta = ByteWriter()
        entry.encode(to: &meta)
        return try critical(urgency: .makingRoom) { catalog, _ throws(LogError) in
            var locations: [Location] = []
            let appended = try log.append(
                .checkpoint,
                timeline: TimelineID.none,
                meta: meta.bytes,
                locations: &locations,
                urgency: .makingRoom
            )
            let length = log.end.rawValue - appended.lsn.rawValue
            index(appended, .checkpoint, .none, pages: 0, length: length)
            catalog.install(entry, merged)
            catalog.checkpoints.set(entry.key, entry)
            return (appended.lsn, length)
        }
    }

    /// New roots of all timelines whose pages were put aside. What several share is merged once.
    private func mergePages(_ frozen: Catalog) throws(LogError) -> [TimelineID: Location] {
        struct Shared: Hashable {
            let root: Location
            let delta: ObjectIdentifier?
        }
        var known: [Shared: Location] = [:]
        var merged: [TimelineID: Location] = [:]
        for (key, slot) in frozen.timelines.newer.entries {
            guard let entry = slot, !entry.pages.isClean else { continue }
            invariant(entry.pages.older.isEmpty, "an earlier checkpoint left pages behind")
            let newer = entry.pages.newer
            let shared = Shared(root: entry.pages.root, delta: newer.pages.identity)
            let isShareable = newer.ranges.isEmpty
            if isShareable, let root = known[shared] {
                merged[TimelineID(rawValue: key.low)] = root
                continue
            }
            let root = try settled(entry.pages).root
            if isShareable { known[shared] = root }
            merged[TimelineID(rawValue: key.low)] = root
        }
        return merged
    }

    private func mergeCatalog(
        _ frozen: Catalog,
        _ merged: [TimelineID: Location]
    ) throws(LogError) -> CatalogRoots {
        var roots = CatalogRoots()
        let lines = frozen.timelines.newer.entries.map { key, slot in
            var entry = slot
            if let root = merged[TimelineID(rawValue: key.low)] {
                entry?.pages = PageMap(root: root)
            }
            return (key: key, value: entry)
        }
        let writer = MapWriter<TimelineEntry>(nodes, LogSink(core: self))
        roots.timelines = try writer.apply(lines, to: frozen.timelines.root)
        roots.branches = try merge(frozen.branches)
        roots.names = try merge(frozen.names)
        roots.snapshots = try merge(frozen.snapshots)
        roots.checkpoints = try merge(frozen.checkpoints)
        roots.segments = try merge(frozen.segments)
        roots.events = try merge(frozen.events)
        roots.expiries = try merge(frozen.expiries)
        return roots
    }

    private func merge<Value: MapValue>(_ map: LayeredMap<Value>) throws(LogError) -> Location {
        let changes = map.newer.entries.map { (key: $0.key, value: $0.value) }
        return try MapWriter<Value>(nodes, LogSink(core: self)).apply(changes, to: map.root)
    }
}
