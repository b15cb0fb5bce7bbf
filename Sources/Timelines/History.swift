package import PageStorage
package import Primitives
package import WriteAheadLog

/// Answers what a branch showed when: over a copy of the catalog, so that all answers are of one
/// moment.
///
/// The law of look-ups: log positions and log times grow together over the whole store. So the
/// last checkpoint that a bound admits knows, for every timeline, its last record up to there; what
/// came later stands in the indexes of the segments from its cut on, at most one interval of them.
package struct History: Sendable {
    package let catalog: Catalog
    package let nodes: NodeSource
    package let indexes: SegmentIndexes

    package init(catalog: Catalog, nodes: NodeSource, indexes: SegmentIndexes) {
        self.catalog = catalog
        self.nodes = nodes
        self.indexes = indexes
    }

    /// A record on a branch's path.
    package struct Place: Sendable, Equatable {
        package var timeline: TimelineID
        package var mark: RecordMark

        package var origin: Origin { Origin(timeline: timeline, lsn: mark.lsn) }
    }

    /// Why there is no such place.
    package enum Miss: Error, Sendable {
        case log(LogError)
        /// The branch's history begins with this record.
        case beforeHistory(earliest: RecordMark)
    }

    var geometry: Geometry { indexes.log.options.geometry }

    func entry(_ timeline: TimelineID) throws(LogError) -> TimelineEntry {
        if let entry = try catalog.timeline(timeline, nodes) { return entry }
        throw .damaged(
            Damage(at: LSN(rawValue: timeline.rawValue), "timeline \(timeline) is missing")
        )
    }

    /// The stretch of a path on one timeline: up to `cap`, after which the path goes on with
    /// `next`, if it does.
    struct Stretch {
        var timeline: TimelineID
        var entry: TimelineEntry
        var cap: LSN
        var next: RecordMark?
    }

    /// The stretch of a branch's path that the bound falls into: the last whose first record it
    /// admits.
    func stretch(
        of branch: BranchEntry,
        _ bound: Bound
    ) throws(LogError) -> Stretch? {
        let current = try entry(branch.timeline)
        if bound.admits(current.birth) {
            return Stretch(timeline: branch.timeline, entry: current, cap: .max)
        }
        var next = current.birth
        var low = 0
        var high = branch.before.count
        while low < high {
            let middle = (low + high) / 2
            let birth = try entry(branch.before[middle].timeline).birth
            if bound.admits(birth) {
                low = middle + 1
            } else {
                high = middle
                next = birth
            }
        }
        guard low > 0 else { return try ancestor(of: try entry(branch.first.timeline), bound) }
        let timeline = branch.before[low - 1].timeline
        let cap = LSN(rawValue: next.lsn.rawValue - 1)
        return Stretch(timeline: timeline, entry: try entry(timeline), cap: cap, next: next)
    }

    /// The nearest ancestor whose first record the bound admits.
    private func ancestor(
        of child: TimelineEntry,
        _ bound: Bound
    ) throws(LogError) -> Stretch? {
        var child = child
        while let origin = child.origin {
            let far = try entry(child.jump)
            if !bound.admits(far.birth), far.birth.lsn < child.birth.lsn {
                child = far
                continue
            }
            let parent = try entry(origin.timeline)
            if bound.admits(parent.birth) {
                return Stretch(
                    timeline: origin.timeline,
                    entry: parent,
                    cap: origin.lsn,
                    next: child.birth
                )
            }
            child = parent
        }
        return nil
    }

    /// The last record of a branch's path that the bound admits, of those that are kept.
    package func last(of branch: BranchEntry, _ bound: Bound) throws(Miss) -> Place {
        do throws(LogError) {
            var bound = bound
            // What the path showed before history began is no part of it.
            while let stretch = try stretch(of: branch, bound), !isBeforeHistory(stretch) {
                var capped = bound
                capped.lsn = min(bound.lsn, stretch.cap)
                if let mark = try lastRecord(of: stretch.timeline, stretch.entry, capped) {
                    return Place(timeline: stretch.timeline, mark: mark)
                }
                // Where only checkpoints are kept, the first after a timeline began can be later.
                bound.lsn = LSN(rawValue: stretch.entry.birth.lsn.rawValue - 1)
            }
        } catch { throw .log(error) }
        throw .beforeHistory(earliest: try earliest(of: branch))
    }

    private func isBeforeHistory(_ stretch: Stretch) -> Bool {
        stretch.next.map { $0.lsn < catalog.state.historyFrom } ?? false
    }

    /// The first record of a branch's path after a position, of those that are kept; nil where that
    /// is its head or beyond.
    package func first(
        of branch: BranchEntry,
        after lsn: LSN
    ) throws(LogError) -> Place? {
        var lsn = lsn
        let kept = catalog.state.historyFrom
        var bound = Bound(lsn: max(lsn, LSN(rawValue: max(1, kept.rawValue) - 1)))
        while true {
            let stretch = try stretch(of: branch, bound)
            if let stretch {
                let mark = try firstRecord(of: stretch.timeline, stretch.entry, after: lsn)
                if let mark, mark.lsn <= stretch.cap {
                    return Place(timeline: stretch.timeline, mark: mark)
                }
            }
            let birth = stretch == nil ? try beginning(of: branch) : stretch?.next
            guard let birth else { return nil }
            if birth.lsn >= catalog.state.denseFrom {
                return Place(timeline: TimelineID(birth.lsn), mark: birth)
            }
            lsn = LSN(rawValue: birth.lsn.rawValue - 1)
            bound = Bound(lsn: birth.lsn)
        }
    }

    /// The record that a branch's path begins with, kept or not.
    private func beginning(of branch: BranchEntry) throws(LogError) -> RecordMark {
        var line = try entry(branch.first.timeline)
        while let origin = line.origin {
            let far = try entry(line.jump)
            line = far.birth.lsn < line.birth.lsn ? far : try entry(origin.timeline)
        }
        return line.birth
    }

    /// The record of a branch's path before a place on it; nil at its beginning.
    package func previous(
        of branch: BranchEntry,
        before place: Place
    ) throws(Miss) -> Place? {
        guard place.mark.lsn > .zero else { return nil }
        do throws(Miss) {
            return try last(of: branch, Bound(lsn: LSN(rawValue: place.mark.lsn.rawValue - 1)))
        } catch {
            guard case .beforeHistory = error else { throw error }
            return nil
        }
    }

    /// The first record of a branch's path that is still kept.
    package func earliest(of branch: BranchEntry) throws(Miss) -> RecordMark {
        do throws(LogError) {
            if let first = try first(of: branch, after: .zero) { return first.mark }
            // Of a deleted branch that has left history nothing is.
            return try entry(branch.timeline).last
        } catch { throw .log(error) }
    }

    func timelines(of checkpoint: CheckpointEntry) -> MapReader<TimelineEntry> {
        MapReader(nodes, root: checkpoint.roots.timelines)
    }
}
