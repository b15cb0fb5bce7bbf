import PageStorage
import Primitives
import Timelines
import WriteAheadLog

/// Where a fork, reset or snapshot starts.
enum Start {
    case head(BranchID)
    case point(Point)
    case view(View)
}

/// A start, as a record says it.
private struct StartOrigin {
    let branch: BranchID
    let place: Origin
    /// Where the map of a past one was written down.
    let root: Location?
}

extension StartOrigin {
    init(_ point: Point, _ root: Location?) {
        self.init(branch: point.branch, place: point.recordOrigin, root: root)
    }
}

extension StoreCore {
    /// Makes a branch, in the log's buffer.
    func fork(
        _ name: String,
        _ start: Start,
        _ expiry: Expiry?,
        _ author: Author
    ) throws(OxbowError) -> BranchID {
        try Name.check(name)
        let expires = try moment(of: expiry)
        var pinned: UInt64?
        switch start {
        case .head: break
        case .point(let point):
            try checkOwn(point.store, "point", "fork \(name)")
            pinned = pin(point.lsn)
        // Its pages are held; what is written of its map from here on is not, until a record says.
        case .view: pinned = pin()
        }
        defer { if let pinned { unpin(pinned) } }
        let mark = try begin(at: start, author, "fork \(name)") {
            origin,
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            if let conflict = try conflict(name, &catalog, nodes) { return .failure(conflict) }
            return .success(
                .create(
                    name: name,
                    parent: origin.branch,
                    origin: origin.place,
                    root: origin.root,
                    expiry: expires
                )
            )
        }
        return BranchID(mark.lsn)
    }

    /// Makes a change by which a timeline begins at a start.
    private func begin(
        at start: Start,
        _ author: Author,
        _ action: @autoclosure () -> String,
        _ check: (StartOrigin, inout Catalog, NodeSource) throws(LogError)
            -> Result<LifecycleChange, OxbowError>
    ) throws(OxbowError) -> RecordMark {
        while true {
            let past = try prepare(start)
            do throws(OxbowError) {
                return try change(author, action()) {
                    catalog,
                    nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
                    switch try origin(past, &catalog, nodes) {
                    case .failure(let refusal): return .failure(refusal)
                    case .success(let origin): return try check(origin, &catalog, nodes)
                    }
                }
            } catch {
                // What was the head became the past meanwhile, and will not be the head again.
                guard error.kind == .busy else { throw error }
            }
        }
    }

    /// Puts a branch back to a point. What it showed since stays in its history.
    func reset(_ branch: BranchID, to point: Point, _ author: Author) throws(OxbowError) {
        try checkOwn(point.store, "point", "reset branch \(branch)")
        let pin = pin(point.lsn)
        defer { unpin(pin) }
        _ = try begin(at: .point(point), author, "reset branch \(branch)") {
            origin,
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            guard let entry = try catalog.branch(branch, nodes) else {
                return .failure(Self.noBranch(branch))
            }
            if entry.death != nil { return .failure(Self.deleted(entry)) }
            if entry.isProtected { return .failure(Self.protected(entry, "reset")) }
            if entry.before.count + 1 >= BranchEntry.maximumPath(geometry) {
                return .failure(
                    OxbowError(
                        .conflict,
                        "branch \(entry.name) was reset \(entry.before.count) times in the history "
                            + "that is kept, the most; fork it, and go on there"
                    )
                )
            }
            return .success(.reset(branch, to: origin.place, root: origin.root))
        }
    }

    func createSnapshot(
        _ name: String,
        of point: Point,
        _ author: Author
    ) throws(OxbowError) {
        try Name.check(name)
        guard name != "head" else {
            throw OxbowError(
                .invalid,
                "a snapshot named head could not be asked for: `head` is a branch as it is now"
            )
        }
        try checkOwn(point.store, "point", "make snapshot \(name)")
        let pin = pin(point.lsn)
        defer { unpin(pin) }
        _ = try begin(at: .point(point), author, "make snapshot \(name)") {
            origin,
            catalog,
            nodes throws(LogError) -> Result<LifecycleChange, OxbowError> in
            if let conflict = try conflict(name, &catalog, nodes) { return .failure(conflict) }
            return .success(
                .createSnapshot(
                    name: name,
                    branch: point.branch,
                    origin: origin.place,
                    mark: point.mark,
                    root: origin.root
                )
            )
        }
    }

    /// A start, with the map of a past one written down, so that its record needs no history.
    private func prepare(_ start: Start) throws(OxbowError) -> (Start, root: Location?) {
        let point: Point
        switch start {
        case .head: return (start, nil)
        case .view(let view): return (start, try settle(view.map).root)
        case .point(let past): point = past
        }
        let catalog = snapshot()
        let line = try attempt("look up \(point.timeline)") { () throws(LogError) in
            try catalog.timeline(point.timeline, nodes)
        }
        // What begins at a snapshot takes its map along, since a snapshot's timeline can go. And a
        // timeline that was purged shows nothing, also at its end.
        let isHead = line.map { $0.last.lsn == point.lsn && !$0.isPurged } ?? false
        if isHead, point.origin == point.recordOrigin { return (start, nil) }
        let map = try state(at: point)
        return (start, try settle(map).root)
    }

    /// Where a start stands, in the critical section.
    private func origin(
        _ start: (Start, root: Location?),
        _ catalog: inout Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> Result<StartOrigin, OxbowError> {
        switch start.0 {
        case .head(let parent):
            let key = Catalog.key(parent.rawValue)
            let living = try catalog.branches.lend(key, nodes) { entry in
                entry.death == nil ? Result.success(entry.timeline) : .failure(Self.deleted(entry))
            }
            let timeline: TimelineID
            switch living ?? .failure(Self.noBranch(parent)) {
            case .success(let id): timeline = id
            case .failure(let refusal): return .failure(refusal)
            }
            let line = Catalog.key(timeline.rawValue)
            let last = try catalog.timelines.lend(line, nodes) { $0.last.lsn }
            guard let last else { return .failure(Self.noBranch(parent)) }
            let place = Origin(timeline: timeline, lsn: last)
            return .success(StartOrigin(branch: parent, place: place, root: nil))
        case .view(let view):
            return .success(StartOrigin(view.point, start.root))
        case .point(let point):
            guard let line = try catalog.timeline(point.timeline, nodes) else {
                return .failure(OxbowError(.notFound, "the history of \(point.lsn) is not kept"))
            }
            if start.root == nil, line.last.lsn != point.lsn || line.isPurged {
                // What was the head is the past now, or history that is not kept any more.
                return .failure(
                    OxbowError(.busy, "branch \(point.branch) was changed meanwhile; try again")
                )
            }
            return .success(StartOrigin(point, start.root))
        }
    }

    static func protected(_ entry: BranchEntry, _ verb: String) -> OxbowError {
        OxbowError(
            .conflict,
            "branch \(entry.name) is protected: take its protection away to \(verb) it"
        )
    }
}
