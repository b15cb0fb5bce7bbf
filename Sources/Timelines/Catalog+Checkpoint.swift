import PageStorage
package import Primitives
package import WriteAheadLog

extension Catalog {
    /// Puts what changed since the last checkpoint aside for the next one.
    package mutating func freeze() {
        timelines.freeze()
        branches.freeze()
        names.freeze()
        snapshots.freeze()
        checkpoints.freeze()
        segments.freeze()
        events.freeze()
        expiries.freeze()
        epoch += 1
        pendingPages = 0
    }

    /// Goes over to the maps that a checkpoint wrote of what was put aside.
    package mutating func install(
        _ checkpoint: CheckpointEntry,
        _ merged: [TimelineID: Location]
    ) {
        let roots = checkpoint.roots
        base = checkpoint.cut
        timelines.install(roots.timelines)
        branches.install(roots.branches)
        names.install(roots.names)
        snapshots.install(roots.snapshots)
        checkpoints.install(roots.checkpoints)
        segments.install(roots.segments)
        events.install(roots.events)
        expiries.install(roots.expiries)
        // What changed since the cut, or was forked off, still has the older layer in memory.
        let epoch = epoch
        for key in timelines.newer.keys {
            timelines.modify(key) { entry in
                let id = TimelineID(rawValue: key.low)
                entry.keepStep(id, epoch)
                entry.absorb(as: id, merged)
            }
        }
    }

    /// Takes back what was put aside, after a checkpoint failed.
    package mutating func thaw() {
        timelines.thaw()
        branches.thaw()
        names.thaw()
        snapshots.thaw()
        checkpoints.thaw()
        segments.thaw()
        events.thaw()
        expiries.thaw()
        let epoch = epoch
        for key in timelines.newer.keys {
            timelines.modify(key) { entry in entry.takeBack(epoch) }
        }
        pendingPages = timelines.newer.entries.reduce(0) {
            $0 + ($1.value?.pages.newer.entryCount ?? 0)
        }
    }
}

extension TimelineEntry {
    /// Takes the map that a checkpoint made of the older layer.
    mutating func absorb(as id: TimelineID, _ merged: [TimelineID: Location]) {
        guard !pages.older.isEmpty else { return }
        guard let root = merged[mergedAs] else {
            preconditionFailure("a checkpoint forgot the pages of timeline \(id)")
        }
        pages.root = root
        pages.older = Delta()
    }

    fileprivate mutating func takeBack(_ epoch: UInt64) {
        pages.newer = pages.older.followed(by: pages.newer)
        pages.older = Delta()
        self.epoch = epoch
    }
}
