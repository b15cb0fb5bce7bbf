import PageStorage
import Primitives
import Timelines
import WriteAheadLog

extension StoreCore {
    static func noBranch(_ branch: BranchID) -> OxbowError {
        OxbowError(.notFound, "there is no branch \(branch)")
    }

    static func deleted(_ entry: BranchEntry) -> OxbowError {
        OxbowError(
            .notFound,
            "branch \(entry.name) was deleted at \(entry.death?.time ?? .zero); it can be "
                + "undeleted, as \(BranchID(entry.birth.lsn)), while its history is kept"
        )
    }

    func readPage(_ key: MapKey, in map: PageMap) throws(OxbowError) -> [UInt8] {
        try checkReadable(key)
        var bytes = [UInt8](repeating: 0, count: geometry.pageSize)
        var failure: LogError?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(LogError) { try unsafe pages.read(key, in: map, into: buffer) } catch {
                failure = error
            }
        }
        if let failure {
            throw OxbowError(failure, "read page \(key.low) of object \(key.high)")
        }
        return bytes
    }

    /// Appends a record of blocks that nothing points at yet.
    func append(
        _ kind: RecordKind,
        timeline: TimelineID,
        blocks: BlockBuffer,
        urgency: Urgency = .ordinary
    ) throws(LogError) -> [Location] {
        try boundTail()
        return try critical(urgency: urgency) { _, _ throws(LogError) in
            var locations: [Location] = []
            locations.reserveCapacity(blocks.count)
            let appended = try log.append(
                kind,
                timeline: timeline,
                blocks: blocks,
                locations: &locations,
                urgency: urgency
            )
            index(
                appended,
                kind,
                timeline,
                pages: 0,
                length: log.end.rawValue - appended.lsn.rawValue
            )
            return locations
        }
    }

    /// Waits where more is appended than may be unflushed.
    private func boundTail() throws(LogError) {
        if log.lock.withLock({ log.unflushedBytes > log.options.unflushedLimit }) {
            try log.flush()
        }
    }

    /// Registers a record just appended. Call in the critical section.
    func index(
        _ appended: Appended,
        _ kind: RecordKind,
        _ timeline: TimelineID,
        pages: UInt64,
        length: UInt64
    ) {
        log.index {
            $0.add(
                RecordEntry(
                    lsn: appended.lsn,
                    time: appended.time,
                    clock: appended.clock,
                    timeline: timeline,
                    length: UInt32(length),
                    pages: UInt32(clamping: pages),
                    kind: kind
                )
            )
        }
    }

    /// Lets a commit take effect.
    func publish(_ edit: Edit) throws(OxbowError) -> (commit: Commit, end: LSN) {
        if edit.base == nil, let published = try publishUnheld(edit) { return published }
        let timeline = try edit.hold().timeline
        if edit.spilled != nil, !edit.delta.isEmpty { try edit.spill() }
        var root: Location?
        var meta: [UInt8] = []
        if let spilled = edit.spilled {
            let settled = try settle(spilled.map)
            root = settled.root
            meta = CommitMeta(pages: spilled.pageCount, root: settled.root).encoded()
        }
        // Lets go of the branch's map, which is then changed in place.
        edit.base = (timeline, PageMap())
        let blocks = root == nil ? edit.blocks() : BlockBuffer()
        let pageCount = edit.spilled?.pageCount ?? UInt64(blocks.count)
        let result = try attempt("commit") { () throws(LogError) in
            try critical(urgency: blocks.urgency, growing: blocks.count) {
                catalog,
                nodes throws(LogError) in
                try commit(
                    timeline,
                    blocks,
                    meta: meta,
                    root: root,
                    pageCount: pageCount,
                    &catalog,
                    nodes
                )
            }
        }
        guard let result else {
            throw OxbowError(
                .conflict,
                "commit: the branch was reset or deleted while the commit was made"
            )
        }
        return result
    }

    /// Lets a commit that read nothing take effect, in one step and without holding the branch;
    /// nil where somebody holds it.
    private func publishUnheld(_ edit: Edit) throws(OxbowError) -> (commit: Commit, end: LSN)? {
        let blocks = edit.blocks()
        let branch = edit.branch
        return try attempt("commit") {
            () throws(LogError) -> Result<(commit: Commit, end: LSN)?, OxbowError> in
            try critical(urgency: blocks.urgency, growing: blocks.count) {
                catalog,
                nodes throws(LogError) -> Result<(commit: Commit, end: LSN)?, OxbowError> in
                guard commitLocks.isFree(branch) else { return .success(nil) }
                guard let entry = try catalog.branch(branch, nodes) else {
                    return .failure(Self.noBranch(branch))
                }
                if entry.death != nil { return .failure(Self.deleted(entry)) }
                if let timeline = edit.timeline, timeline != entry.timeline {
                    return .failure(Self.left(branch))
                }
                let done = try commit(
                    entry.timeline,
                    blocks,
                    meta: [],
                    root: nil,
                    pageCount: UInt64(blocks.count),
                    &catalog,
                    nodes
                )
                return .success(done.map { (commit: $0.0, end: $0.1) })
            }
        }.get()
    }

    private func commit(
        _ timeline: TimelineID,
        _ blocks: BlockBuffer,
        meta: [UInt8],
        root: Location?,
        pageCount: UInt64,
        _ catalog: inout Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> (Commit, LSN)? {
        guard try catalog.timelines.promote(Catalog.key(timeline.rawValue), nodes) else {
            return nil
        }
        var waiting = 0
        let done = try catalog.change(timeline) { entry throws(LogError) -> (Commit, LSN)? in
            if entry.isClosed { return nil }
            var locations: [Location] = []
            locations.reserveCapacity(blocks.count)
            let appended = try log.append(
                .commit,
                timeline: timeline,
                meta: meta,
                blocks: blocks,
                locations: &locations,
                urgency: blocks.urgency
            )
            lastChange = appended.lsn
            register(appended, timeline, blocks, locations, root: root, pageCount)
            let changes = blocks.changes(at: locations)
            let mark = RecordMark(lsn: appended.lsn, time: appended.time, clock: appended.clock)
            waiting = entry.take(changes, root: root, mark)
            return (Commit(lsn: appended.lsn, time: appended.time), log.end)
        }
        catalog.pendingPages += waiting
        return done ?? nil
    }

    private func register(
        _ appended: Appended,
        _ timeline: TimelineID,
        _ blocks: BlockBuffer,
        _ locations: [Location],
        root: Location?,
        _ pageCount: UInt64
    ) {
        let length = log.end.rawValue - appended.lsn.rawValue
        index(appended, .commit, timeline, pages: pageCount, length: length)
        log.index { index in
            if let root {
                index.add(RootEntry(timeline: timeline, record: appended.lsn, root: root))
            }
            for place in 0..<blocks.count {
                index.add(
                    blocks.headers[place],
                    on: timeline,
                    location: locations[place],
                    upperBound: blocks.upperBound(place),
                    record: appended.lsn
                )
            }
        }
    }
}

extension BlockBuffer {
    /// A small commit that deletes may use some of the reserve, whatever else it writes: who
    /// removes a file writes down that it is gone.
    fileprivate var urgency: Urgency {
        let isSmall = count <= StoreCore.changesInReserve
        return isSmall && headers.contains { $0.kind != .page } ? .deleting : .ordinary
    }

    func changes(at locations: [Location]) -> [PageChange] {
        (0..<count).map { place in
            PageChange(
                kind: headers[place].kind,
                key: MapKey(headers[place].object, headers[place].page),
                upperBound: upperBound(place),
                location: locations[place]
            )
        }
    }
}
