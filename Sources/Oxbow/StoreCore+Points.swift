import DiskIO
import PageStorage
import Primitives
import Timelines
import WriteAheadLog

extension StoreCore {
    /// The record of a branch's path that a request snaps to; of its descent, where that is asked
    /// for, which leaves out what a reset has left.
    func point(
        _ branch: BranchID,
        _ moment: Moment,
        inDescent: Bool = false
    ) throws(OxbowError) -> Point {
        try look { catalog throws(OxbowError) in
            try point(branch, moment, inDescent, history(catalog))
        }
    }

    private func point(
        _ branch: BranchID,
        _ moment: Moment,
        _ inDescent: Bool,
        _ history: History
    ) throws(OxbowError) -> Point {
        if case .snapshot(let name) = moment { return try point(snapshot: name, history) }
        var entry = try branchEntry(branch, history.catalog)
        if inDescent { entry = entry.descending }
        let asked = try bound(moment, history)
        let place = try place(entry, asked, history)
        try attempt("find a point of branch \(entry.name)") { () throws(LogError) in
            try log.checkReadable(place.mark.lsn)
        }
        let next = try attempt("find the record after \(place.mark.lsn)") { () throws(LogError) in
            try history.first(of: entry, after: place.mark.lsn)
        }
        let readableEnd = log.readableEnd
        var distance: Duration?
        if case .time = moment { distance = asked.time.since(place.mark.time) }
        if case .ago = moment { distance = asked.time.since(place.mark.time) }
        return Point(
            branch: branch,
            timeline: place.timeline,
            lsn: place.mark.lsn,
            time: place.mark.time,
            clock: place.mark.clock,
            requested: moment,
            distance: distance,
            next: next.flatMap {
                $0.mark.lsn < readableEnd
                    ? Point.Neighbor(lsn: $0.mark.lsn, time: $0.mark.time) : nil
            },
            origin: place.origin,
            store: storeID
        )
    }

    /// The record that a head ends with.
    func point(_ branch: BranchID, _ head: Head) -> Point {
        Point(
            branch: branch,
            timeline: head.timeline,
            lsn: head.last.lsn,
            time: head.last.time,
            clock: head.last.clock,
            requested: .head,
            distance: nil,
            next: nil,
            origin: Origin(timeline: head.timeline, lsn: head.last.lsn),
            store: storeID
        )
    }

    func point(snapshot name: String, _ history: History) throws(OxbowError) -> Point {
        let entry = try snapshotEntry(name, history.catalog)
        let mark = entry.pointTime
        let next = try attempt("find the record after \(mark.lsn)") { () throws(LogError) in
            try history.catalog.branch(entry.branch, nodes).flatMap { branch throws(LogError) in
                try history.first(of: branch, after: mark.lsn)
            }
        }
        return Point(
            branch: entry.branch,
            timeline: entry.point.timeline,
            lsn: mark.lsn,
            time: mark.time,
            clock: mark.clock,
            requested: .snapshot(name),
            distance: nil,
            next: next.map { Point.Neighbor(lsn: $0.mark.lsn, time: $0.mark.time) },
            origin: Origin(
                timeline: entry.timeline,
                lsn: LSN(rawValue: entry.timeline.rawValue)
            ),
            store: storeID
        )
    }

    private func bound(_ moment: Moment, _ history: History) throws(OxbowError) -> Bound {
        switch moment {
        case .head: return Bound()
        case .lsn(let lsn): return Bound(lsn: lsn)
        case .time(let time): return Bound(time: time)
        case .ago(let duration):
            guard duration >= .zero else {
                throw OxbowError(.invalid, "a duration back from now must not be negative")
            }
            let now = log.lock.withLock { max(log.lastTime, LogTime(rawValue: clock.now())) }
            return Bound(time: now.advanced(by: .zero - duration))
        case .snapshot: return Bound()
        }
    }

    private func place(
        _ entry: BranchEntry,
        _ bound: Bound,
        _ history: History
    ) throws(OxbowError) -> History.Place {
        do throws(History.Miss) { return try history.last(of: entry, bound) } catch {
            switch error {
            case .log(let error): throw OxbowError(error, "find a point of branch \(entry.name)")
            case .beforeHistory(let earliest):
                throw OxbowError(
                    .notFound,
                    "branch \(entry.name) has no history that far back: the earliest kept is "
                        + "\(earliest.time) (\(earliest.lsn))"
                )
            }
        }
    }

    var storeID: StoreID { log.options.store }

    /// Throws where something is of another store.
    func checkOwn(_ store: StoreID, _ what: String, _ action: String) throws(OxbowError) {
        guard store == storeID else {
            throw OxbowError(.invalid, "\(action): the \(what) is of another store")
        }
    }

    /// All pages at a point. For who has pinned it.
    func state(at point: Point) throws(OxbowError) -> PageMap {
        let history = history(snapshot())
        return try attempt("read the past at \(point.lsn)") { () throws(LogError) in
            try log.checkReadable(point.origin.lsn)
            return try history.state(at: point.origin)
        }
    }

    func branchEntry(
        _ branch: BranchID,
        evenDeleted: Bool = false
    ) throws(OxbowError) -> BranchEntry {
        try look { catalog throws(OxbowError) in
            try branchEntry(branch, catalog, evenDeleted: evenDeleted)
        }
    }

    func branchEntry(
        _ branch: BranchID,
        _ catalog: Catalog,
        evenDeleted: Bool = false
    ) throws(OxbowError) -> BranchEntry {
        try checkOpen("look up branch \(branch)")
        let entry = try attempt("look up branch \(branch)") { () throws(LogError) in
            try catalog.branch(branch, nodes)
        }
        guard let entry else { throw Self.noBranch(branch) }
        if entry.death != nil, !evenDeleted { throw Self.deleted(entry) }
        return entry
    }

    func snapshotEntry(_ name: String, _ catalog: Catalog) throws(OxbowError) -> SnapshotEntry {
        try checkOpen("look up snapshot \(name)")
        try Name.check(name)
        let entry = try attempt("look up snapshot \(name)") {
            () throws(LogError) -> SnapshotEntry? in
            guard case .snapshot(let id)? = try catalog.holder(of: name, nodes) else { return nil }
            return try catalog.snapshots.get(Catalog.key(id), nodes)
        }
        guard let entry else { throw OxbowError(.notFound, "there is no snapshot \(name)") }
        return entry
    }

    /// Holds a map for a reader, against reclaim.
    func hold(_ map: PageMap) -> UInt64 {
        log.lock.withLock {
            nextView += 1
            views[nextView] = map
            return nextView
        }
    }

    func release(view: UInt64) {
        let map = log.lock.withLock { views.removeValue(forKey: view) }
        // Freed here, outside the lock.
        withExtendedLifetime(map) {}
    }
}
