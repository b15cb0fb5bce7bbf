import Oxbow
import Primitives

extension StoreSimulation {
    private func someAuthor() -> Author {
        random.oneIn(3) ? Author("actor-\(draw(9))", labels: ["run": "\(draw(99))"]) : Author()
    }

    private func freeName() -> String {
        let state = expected.current
        while true {
            let name = "\(["pr", "test", "a"][draw(3)])-\(draw(40))"
            if !state.isTaken(name) { return name }
        }
    }

    /// An expiry, and what the model can know of when it is.
    private func someExpiry() -> (Expiry?, ModelExpiry) {
        switch draw(8) {
        case 0:
            let duration = Duration.milliseconds(1 + draw(20_000))
            // The log's time may be ahead of the last record that the model knows of, where the
            // calendar was ahead, and each look at the clock moves it a little.
            let now = LogTime(rawValue: clock.calendarTime)
            let earliest = min(expected.lastTime, now)
            let until = max(expected.lastTime, latestClock).advanced(by: .milliseconds(1))
            return (
                .after(duration),
                .within(earliest.advanced(by: duration)...until.advanced(by: duration))
            )
        case 1:
            // Surely in the future, where alone it is taken.
            let now = max(expected.lastTime, latestClock)
            let moment = now.advanced(by: .milliseconds(2 + draw(60_000)))
            return (.at(moment), .at(moment))
        case 2: return (.never, .never)
        default: return (nil, .never)
        }
    }

    /// Makes some of what was only buffered durable at once.
    func maybeSync() throws {
        if alwaysSyncs || random.oneIn(3) { try sync() }
    }

    func sync() throws {
        try opened.sync()
        model?.noteAllDurable()
    }

    func forkHead() throws {
        guard let parent = someBranch(), expected.current.branches.count < 40 else { return }
        let (name, author) = (freeName(), someAuthor())
        let (expiry, known) = someExpiry()
        let change = ModelChange.create(
            name,
            parent: parent.id,
            from: parent.head,
            known,
            author
        )
        let handle = try handle(parent)
        pending = [change]
        let made = try opened.fork(name, from: handle, expires: expiry, by: author)
        try finishFork(change, made)
    }

    private func finishFork(_ change: ModelChange, _ made: Branch) throws {
        let info = try made.info()
        note("  \(info.name) \(info.id) from \(info.origin?.description ?? "nothing")")
        try confirm(
            change,
            ModelMark(lsn: LSN(rawValue: made.id.rawValue), time: info.created)
        )
        try learnExpiry(of: made.id)
        if random.oneIn(4), let branch = expected.current[made.id] {
            try checkHead(branch, reads: 5)
        }
        try maybeSync()
    }

    func forkPast() throws {
        guard expected.current.branches.count < 40, let (point, line) = try somePoint() else {
            return
        }
        let (name, author) = (freeName(), someAuthor())
        let (expiry, known) = someExpiry()
        let change = ModelChange.create(name, parent: point.branch, from: line, known, author)
        pending = [change]
        var made: Branch?
        let isGone = try isThinned(point, line) {
            made = try opened.fork(name, from: point, expires: expiry, by: author)
        }
        if !isGone, let made { try finishFork(change, made) }
    }

    func createSnapshot() throws {
        guard expected.current.snapshots.count < 12, let (point, line) = try somePoint() else {
            return
        }
        let change = ModelChange.createSnapshot(
            freeName(),
            point.branch,
            of: line,
            someAuthor()
        )
        guard case .createSnapshot(let name, _, _, let author) = change else { return }
        pending = [change]
        let isGone = try isThinned(point, line) {
            try opened.createSnapshot(name, of: point, by: author)
        }
        if isGone { return }
        try confirmByEvents(change)
        points.removeAll { $0.point.requested == .snapshot(name) }
        try maybeSync()
    }

    func dropSnapshot() throws {
        let snapshots = expected.current.snapshots
        guard !snapshots.isEmpty else { return }
        let change = ModelChange.deleteSnapshot(snapshots[draw(snapshots.count)].name)
        guard case .deleteSnapshot(let name) = change else { return }
        pending = [change]
        try opened.deleteSnapshot(name, by: someAuthor())
        try confirm(change, ModelMark(lsn: .zero, time: .zero))
        try maybeSync()
    }

    private func change(
        _ branch: BranchID,
        _ change: ModelChange,
        _ body: (Branch) throws -> Void
    )
        throws
    {
        let handle = try opened.branch(branch)
        pending = [change]
        try body(handle)
        try confirmByEvents(change)
        try maybeSync()
    }

    func rename() throws {
        guard let branch = someBranch() else { return }
        let (name, author) = (freeName(), someAuthor())
        try change(branch.id, .rename(branch.id, name, author)) {
            try $0.rename(to: name, by: author)
        }
    }

    func handOver() throws {
        guard let branch = someBranch() else { return }
        let (name, author) = (freeName(), someAuthor())
        let (expiry, known) = someExpiry()
        try change(branch.id, .handOver(branch.id, name, known, author)) {
            try $0.handOver(as: name, expires: expiry, to: author)
        }
    }

    func protect() throws {
        guard let branch = someBranch() else { return }
        // Mostly lifted again, so that there is something to delete and reset.
        let author = someAuthor()
        let isProtected = branch.isProtected ? random.oneIn(4) : random.oneIn(2)
        try change(branch.id, .protect(branch.id, isProtected, author)) {
            try $0.protect(isProtected, by: author)
        }
    }

    func expire() throws {
        guard let branch = someBranch() else { return }
        let author = someAuthor()
        let (expiry, known) = someExpiry()
        try change(branch.id, .expire(branch.id, known, author)) {
            try $0.setExpiry(expiry ?? .never, by: author)
        }
    }

    /// Sets how far back history is kept, of the store or of a branch.
    func setWindow() throws {
        let author = someAuthor()
        let duration = Duration.seconds(1 + draw(120))
        let bytes = UInt64(1 + draw(32)) << 15
        if random.oneIn(2) {
            try opened.setWindow(duration, bytes: bytes, by: author)
            return try maybeSync()
        }
        guard let branch = someBranch() else { return }
        try change(branch.id, .window(branch.id, author)) {
            try $0.setWindow(duration, bytes: bytes, by: author)
        }
    }

    func delete() throws {
        guard let branch = someBranch() else { return }
        let author = someAuthor()
        if branch.isProtected {
            let handle = try handle(branch)
            return try expectRefusal(.conflict) { try handle.delete(by: author) }
        }
        if expected.current.living.count < 3, !random.oneIn(8) { return }
        try change(branch.id, .delete(branch.id, author)) { try $0.delete(by: author) }
    }

    func undelete() throws {
        let dead = expected.current.dead
        guard !dead.isEmpty else { return }
        let branch = dead[draw(dead.count)]
        let author = someAuthor()
        let wanted: String? = random.oneIn(2) ? freeName() : nil
        let name = wanted ?? branch.name
        let (expiry, known) = someExpiry()
        if let death = branch.death, death.lsn < opened.keptHistory.from {
            return try expectRefusal(.notFound) {
                try opened.undelete(branch.id, as: wanted, expires: expiry, by: author)
            }
        }
        if expected.current.isTaken(name) {
            return try expectRefusal(.conflict) {
                try opened.undelete(branch.id, as: wanted, expires: expiry, by: author)
            }
        }
        try change(branch.id, .undelete(branch.id, name, known, author)) { _ in
            try opened.undelete(branch.id, as: wanted, expires: expiry, by: author)
        }
        try checkHead(branch, reads: 3)
    }

    func reset() throws {
        guard let branch = someBranch() else { return }
        guard let (point, line) = try somePoint(of: random.oneIn(5) ? nil : branch) else { return }
        let author = someAuthor()
        if branch.isProtected {
            guard isSurelyKept(point, line) else { return }
            let handle = try handle(branch)
            return try expectRefusal(.conflict) { try handle.reset(to: point, by: author) }
        }
        let isGone = try isThinned(point, line) {
            try change(branch.id, .reset(branch.id, to: line, author)) {
                try $0.reset(to: point, by: author)
            }
        }
        if isGone { return }
        if let now = expected.current[branch.id] { try checkHead(now, reads: 4) }
    }

    func undo() throws {
        guard let branch = someBranch(where: { !$0.isProtected }) else { return }
        let handle = try handle(branch)
        let author = someAuthor()
        guard let last = branch.resets.last else {
            return try expectRefusal(.notFound) { try handle.undo(by: author) }
        }
        let before = branch.shown.last { $0.lsn < last.lsn }.found
        guard let before else { throw Divergence("the model has nothing before a reset") }
        guard isKept(before.line, next: last.lsn, branch) else { return }
        try change(branch.id, .reset(branch.id, to: before.line, author)) {
            try $0.undo(by: author)
        }
    }
}
