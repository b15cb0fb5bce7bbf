import Oxbow
import Primitives

extension StoreSimulation {
    /// A point of a branch's history, asked for in one of all ways and held against the model, and
    /// the record that it is.
    func somePoint(of wanted: ModelBranch? = nil) throws -> (Point, LineNode)? {
        if wanted == nil, !points.isEmpty, random.oneIn(6) {
            let (point, line) = points[draw(points.count)]
            note("  \(point.branch) at \(point.requested), asked for before: \(point.lsn)")
            return (point, line)
        }
        guard let (point, line) = try freshPoint(of: wanted) else { return nil }
        if points.count < 8 {
            points.append((point, line))
        } else if random.oneIn(8) {
            points[draw(points.count)] = (point, line)
        }
        return (point, line)
    }

    private func freshPoint(of wanted: ModelBranch?) throws -> (Point, LineNode)? {
        let snapshots = expected.current.snapshots
        if wanted == nil, !snapshots.isEmpty, random.oneIn(5) {
            return try somePoint(of: snapshots[draw(snapshots.count)])
        }
        guard let branch = wanted ?? someBranch() else { return nil }
        let handle = try handle(branch)
        let moment = someMoment(of: branch)
        let point: Point
        do throws(OxbowError) { point = try handle.point(at: moment) } catch {
            guard error.kind == .notFound else { throw error }
            try checkMissing(moment, branch, error)
            return nil
        }
        note("  \(branch.name) at \(moment): \(point.lsn)")
        return (point, try check(point, moment, branch))
    }

    private func somePoint(of snapshot: ModelSnapshot) throws -> (Point, LineNode)? {
        let point = try opened.point(snapshot: snapshot.name)
        guard point.lsn == snapshot.point.mark.lsn else {
            throw Divergence("snapshot \(snapshot.name) is at \(point.lsn)")
        }
        return (point, snapshot.point)
    }

    private func someMoment(of branch: ModelBranch) -> Moment {
        let shown = branch.shown
        var node = shown
        for _ in 0..<draw(min(shown.count, 60)) { node = node.previous ?? node }
        let mark = node.line.mark
        switch draw(8) {
        case 0: return .head
        case 1, 2: return .lsn(mark.lsn)
        case 3: return .lsn(LSN(rawValue: mark.lsn.rawValue &+ UInt64(draw(4000)) &- 1000))
        case 4: return .time(mark.time)
        case 5: return .time(LogTime(rawValue: mark.time.rawValue &+ UInt64(draw(2000)) &- 1000))
        case 6: return .ago(.milliseconds(draw(40_000)))
        default: return .time(LogTime(rawValue: mark.time.rawValue &+ UInt64(draw(2_000_000_000))))
        }
    }

    /// Checks everything that a point says of itself.
    private func check(
        _ point: Point,
        _ moment: Moment,
        _ branch: ModelBranch
    ) throws -> LineNode {
        func complain(_ what: String) -> Divergence {
            Divergence("\(branch.name) at \(moment): \(what) (\(point))")
        }
        var asked: LogTime?
        if case .time(let time) = moment { asked = time }
        if case .ago = moment { asked = point.distance.map { point.time.advanced(by: $0) } }
        if let asked, point.distance != asked.since(point.time) {
            throw complain("a distance of \(String(describing: point.distance))")
        }
        if asked == nil, point.distance != nil { throw complain("a distance to no time") }
        let (found, next) = branch.shown.last { mark in
            if let asked { return mark.time <= asked }
            if case .lsn(let lsn) = moment { return mark.lsn <= lsn }
            return true
        }
        guard let found, found.line.mark.lsn == point.lsn else {
            let exact = branch.shown.last { $0.lsn <= point.lsn }.found
            if let exact, exact.line.mark.lsn == point.lsn, let found,
                !isKept(found.line, next: next?.line.mark.lsn, branch)
            {
                return exact.line
            }
            throw complain("expected \(found?.line.mark.lsn.description ?? "nothing")")
        }
        guard found.line.mark.time == point.time, found.line.timeline == point.timeline,
            point.branch == branch.id, point.requested == moment
        else { throw complain("expected \(found.line.mark) of \(found.line.timeline)") }
        let neighbor = point.next?.lsn
        let isThinned = point.lsn < expected.thinnedBefore
        // After a failed write nothing is told of what may be lost.
        let isHidden = hasStruck && neighbor == nil && next.map(isUndurable) ?? false
        guard isThinned || isHidden || neighbor == next?.line.mark.lsn else {
            throw complain("expected next \(next?.line.mark.lsn.description ?? "none")")
        }
        return found.line
    }

    private func isUndurable(_ shown: ShownNode) -> Bool {
        shown.line.mark.lsn >= opened.durableLSN
    }

    /// Whether the history kept must have a record that a branch showed: it is not older than what
    /// is kept record by record, or the branch showed it then.
    func isKept(_ found: LineNode, next: LSN?, _ branch: ModelBranch) -> Bool {
        let dense = expected.thinnedBefore
        if found.mark.lsn >= dense { return true }
        let isOwn =
            found.timeline.rawValue == branch.id.rawValue
            || branch.resets.contains { $0.lsn.rawValue == found.timeline.rawValue }
        return isOwn && (next.map { $0 > dense } ?? true)
    }

    /// Whether the store has a point's record, which a crash can have taken.
    func isThere(_ point: Point, _ line: LineNode) -> Bool {
        let shown = expected.current[point.branch]?.shown
        return shown?.last { $0.lsn <= line.mark.lsn }.found?.line.mark == line.mark
    }

    /// Whether a point must be there still, which may have been asked for long ago.
    func isSurelyKept(_ point: Point, _ line: LineNode) -> Bool {
        if case .snapshot(let name) = point.requested {
            return expected.current.snapshot(name)?.point.mark == line.mark
        }
        guard let branch = expected.current[point.branch], branch.isAlive else {
            return line.mark.lsn >= expected.thinnedBefore
        }
        let next = branch.shown.last { $0.lsn <= line.mark.lsn }.next
        return isKept(line, next: next?.line.mark.lsn, branch)
    }

    private func checkMissing(
        _ moment: Moment,
        _ branch: ModelBranch,
        _ error: OxbowError
    ) throws {
        let (found, next) = branch.shown.last { mark in
            switch moment {
            case .lsn(let lsn): mark.lsn <= lsn
            case .time(let time): mark.time <= time
            // At the latest; nothing says here what the store's clock showed.
            case .ago(let duration):
                mark.time <= latestClock.advanced(by: .zero - duration)
            case .head, .snapshot: true
            }
        }
        var isSure = found.map { isKept($0.line, next: next?.line.mark.lsn, branch) } ?? false
        if case .ago = moment { isSure = false }
        if isSure {
            throw Divergence(
                "\(branch.name) at \(moment) is missing, kept from \(opened.keptHistory): "
                    + "\(error); it showed \(branch.shown.all.map(\.line.mark.lsn))"
            )
        }
    }

    func findPoint() throws { _ = try somePoint() }

    func readPast() throws {
        guard let (point, line) = try somePoint() else { return }
        guard let branch = someBranch() else { return }
        var found: View?
        let isGone = try isThinned(point, line) { found = try handle(branch).view(at: point) }
        guard !isGone, let view = found else { return }
        try check(view, line.pages, reads: 4, "the past at \(point.lsn)")
        if views.count < 4, random.oneIn(2) { views.append((view, line.pages)) }
    }

    func readHeldView() throws {
        guard !views.isEmpty else { return try readPast() }
        let place = draw(views.count)
        let held = views[place]
        try check(held.view, held.pages, reads: 6, "a view held at \(held.view.point.lsn)")
        if random.oneIn(3) { views.remove(at: place) }
    }

    /// Compares which pages there are, and some of their bytes.
    func check(
        _ view: View,
        _ pages: ModelPages,
        reads: Int,
        _ what: @autoclosure () -> String
    ) throws {
        let object = ObjectID(UInt64(1 + draw(3)))
        let first = PageNumber(UInt64(random.oneIn(3) ? draw(40) : 0))
        let limit = 1 + draw(80)
        var listed: [PageNumber] = []
        try view.visitPages(of: object, from: first) { page in
            listed.append(page)
            return listed.count < limit
        }
        let expectedPages = Array(pages.pages(of: object, from: first).prefix(limit))
        guard listed == expectedPages else {
            throw Divergence(
                "pages of object \(object) of \(what()) from \(first): \(listed), expected "
                    + "\(expectedPages)"
            )
        }
        let keys = pages.keys
        for _ in 0..<reads {
            let key = keys.isEmpty || random.oneIn(4) ? someKey() : keys[draw(keys.count)]
            try check(try view.read(page: key.page, of: key.object), key, pages, what())
        }
    }

    func listHistory() throws {
        let branches = expected.current.branches
        let branch = branches[draw(branches.count)]
        let all = branch.shown.all
        let cursor: LSN? = random.oneIn(2) ? nil : all[draw(all.count)].line.mark.lsn
        let limit = draw(30)
        let end: Branch.End = random.oneIn(2) ? .newest : .oldest
        let seen = try opened.branch(branch.id).history(from: end, after: cursor, limit: limit)
        let durable = opened.durableLSN
        // As above.
        let isHidden = hasStruck && !seen.contains { $0.lsn >= durable }
        var wanted = all.map(\.line).filter { !isHidden || $0.mark.lsn < durable }
        if end == .newest { wanted.reverse() }
        if let cursor {
            wanted = wanted.filter { end == .newest ? $0.mark.lsn < cursor : $0.mark.lsn > cursor }
        }
        if expected.thinnedBefore > .zero { return try checkThinned(seen, wanted, branch) }
        let expectedMarks = wanted.prefix(limit).map(\.mark.lsn)
        guard seen.map(\.lsn) == expectedMarks else {
            throw Divergence(
                "history of \(branch.name) from the \(end) after \(String(describing: cursor)): "
                    + "\(seen.map(\.lsn)), expected \(expectedMarks)"
            )
        }
        try checkEntries(seen, wanted, branch)
    }

    private func checkEntries(
        _ seen: [HistoryEntry],
        _ wanted: [LineNode],
        _ branch: ModelBranch
    ) throws {
        for (entry, line) in zip(seen, wanted) {
            let kind: HistoryEntry.Kind = line.beginsTimeline ? .began : .commit
            guard entry.time == line.mark.time, entry.timeline == line.timeline,
                entry.kind == kind
            else { throw Divergence("history of \(branch.name): \(entry), expected a \(kind)") }
        }
    }

    /// What is listed of a history that may be thinned out is at least not made up.
    private func checkThinned(
        _ seen: [HistoryEntry],
        _ wanted: [LineNode],
        _ branch: ModelBranch
    ) throws {
        for entry in seen {
            guard let line = wanted.first(where: { $0.mark.lsn == entry.lsn }),
                line.mark.time == entry.time, line.timeline == entry.timeline
            else {
                throw Divergence(
                    "history of \(branch.name), kept from \(opened.keptHistory), has \(entry); "
                        + "expected of \(wanted.map(\.mark.lsn))"
                )
            }
        }
        let dense = expected.thinnedBefore
        let sure = wanted.filter { $0.mark.lsn > dense }.map(\.mark.lsn)
        let seenSure = seen.map(\.lsn).filter { $0 > dense }
        guard seenSure == Array(sure.prefix(seenSure.count)) else {
            throw Divergence("history of \(branch.name): \(seenSure), expected \(sure)")
        }
    }

    func listEvents() throws {
        let branches = expected.current.branches
        let branch = branches[draw(branches.count)]
        let events = try opened.branch(branch.id).events()
        if let difference = branch.difference(from: events) { throw Divergence(difference) }
    }
}
