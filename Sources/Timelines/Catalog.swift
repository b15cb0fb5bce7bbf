package import PageStorage
package import Primitives
package import WriteAheadLog

/// All branches and timelines, their names, points and lifecycles, and where the store's segments
/// and checkpoints are: a value, whose copy is the store at one moment.
///
/// Guarded, in a store, by the log's lock: a record is appended and takes effect here in one step.
package struct Catalog: Sendable {
    package var timelines = LayeredMap<TimelineEntry>()
    package var branches = LayeredMap<BranchEntry>()
    package var names = LayeredMap<NameEntry>()
    package var snapshots = LayeredMap<SnapshotEntry>()
    package var checkpoints = LayeredMap<CheckpointEntry>()
    package var segments = LayeredMap<SegmentEntry>()
    package var events = LayeredMap<EventEntry>()
    package var expiries = LayeredMap<ExpiryEntry>()
    package var state: CatalogState
    /// The cut of the checkpoint that wrote the maps, without what changed since; zero where none
    /// did.
    package internal(set) var base = LSN.zero
    /// Counts the checkpoints begun in this process.
    package var epoch: UInt64 = 1
    /// How many page changes wait for the next checkpoint.
    package var pendingPages = 0

    /// The segment that records are appended to, and the one before it.
    package var activeSegment: SegmentNumber?
    package var activePredecessor: SegmentNumber?

    package init(state: CatalogState) { self.state = state }

    package init(_ checkpoint: CheckpointEntry) {
        state = checkpoint.state
        base = checkpoint.cut
        let roots = checkpoint.roots
        timelines = LayeredMap(root: roots.timelines)
        branches = LayeredMap(root: roots.branches)
        names = LayeredMap(root: roots.names)
        snapshots = LayeredMap(root: roots.snapshots)
        checkpoints = LayeredMap(root: roots.checkpoints)
        segments = LayeredMap(root: roots.segments)
        events = LayeredMap(root: roots.events)
        expiries = LayeredMap(root: roots.expiries)
    }

    /// Where the maps begin in the log.
    package var roots: CatalogRoots {
        var roots = CatalogRoots()
        roots.timelines = timelines.root
        roots.branches = branches.root
        roots.names = names.root
        roots.snapshots = snapshots.root
        roots.checkpoints = checkpoints.root
        roots.segments = segments.root
        roots.events = events.root
        roots.expiries = expiries.root
        return roots
    }

    /// How much waits for the next checkpoint, in page entries. Other changes come by threes and
    /// fours, with each branch that is made, and weigh less: a checkpoint for every 10,000 branches
    /// would cost more than making them.
    package var pendingChanges: Int {
        let others =
            timelines.newer.count + branches.newer.count + names.newer.count
            + snapshots.newer.count + segments.newer.count + events.newer.count
            + expiries.newer.count
        return pendingPages + others / 4
    }

    package static func key(_ id: UInt64) -> MapKey { MapKey(0, id) }

    package func timeline(
        _ id: TimelineID,
        _ nodes: NodeSource
    ) throws(LogError) -> TimelineEntry? {
        try timelines.get(Self.key(id.rawValue), nodes)
    }

    package func branch(_ id: BranchID, _ nodes: NodeSource) throws(LogError) -> BranchEntry? {
        try branches.get(Self.key(id.rawValue), nodes)
    }

    package func holder(
        of name: String,
        _ nodes: NodeSource
    ) throws(LogError) -> NameEntry.Holder? {
        try names.get(NameEntry.key(name), nodes)?[name]
    }

    /// Changes a promoted timeline, after bringing its page layers in step with the running
    /// checkpoint; nil where there is no such timeline.
    package mutating func change<Result, Failure: Error>(
        _ id: TimelineID,
        _ body: (inout TimelineEntry) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        let epoch = epoch
        return try timelines.modify(Self.key(id.rawValue)) { entry throws(Failure) in
            entry.keepStep(id, epoch)
            return try body(&entry)
        }
    }
}

extension TimelineEntry {
    /// Where a checkpoint has begun since the last change, puts aside what it writes down.
    mutating func keepStep(_ id: TimelineID, _ epoch: UInt64) {
        guard self.epoch != epoch else { return }
        if !pages.newer.isEmpty {
            invariant(pages.older.isEmpty, "two checkpoints at once over timeline \(id)")
            pages.older = pages.newer
            pages.newer = Delta()
            mergedAs = id
        }
        self.epoch = epoch
    }
}
