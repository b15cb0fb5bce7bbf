import Oxbow
import Primitives

extension StoreSimulation {
    /// Does one operation, and holds what came of it against the model.
    func perform(_ operation: StoreOperation) throws {
        self.operation = operation
        table.count(operation)
        totals.operations += 1
        clock.advance(by: .nanoseconds(Int64(draw(4)) * Int64(draw(1_000_000_000))))
        pending = []
        note("\(operation)")
        do { try act(operation) } catch let error as OxbowError {
            note("  \(error)")
            fold(UInt64(error.kind.rawValue.utf8.first ?? 0))
            try judge(error)
        }
        collectFaults()
        try requirePower()
        noteHistory()
        model?.noteDurable(below: opened.durableLSN)
        fold(opened.durableLSN.rawValue)
    }

    private func act(_ operation: StoreOperation) throws {
        switch operation {
        case .open: break
        case .commitSynced: try commit(.synced, changes: 1 + draw(6))
        case .commitBuffered:
            try commit(.buffered, changes: draw(8))
            if alwaysSyncs { try sync() }
        case .commitLarge:
            try commit(random.oneIn(2) ? .synced : .buffered, changes: 40 + draw(100))
        case .commitRefused:
            try commitAndThrow()
            if alwaysSyncs { try sync() }
        case .fork: try forkHead()
        case .forkPast: try forkPast()
        case .snapshot: try createSnapshot()
        case .dropSnapshot: try dropSnapshot()
        case .rename: try rename()
        case .handOver: try handOver()
        case .protect: try protect()
        case .expire: try expire()
        case .window: try setWindow()
        case .delete: try delete()
        case .undelete: try undelete()
        case .reset: try reset()
        case .undo: try undo()
        case .read: try readHead()
        case .find: try findPoint()
        case .readPast: try readPast()
        case .readView: try readHeldView()
        case .history: try listHistory()
        case .events: try listEvents()
        case .refusal:
            try tryInvalid()
            if alwaysSyncs { try sync() }
        case .sync: try sync()
        case .checkpoint: try checkpoint()
        case .step: try step()
        case .reclaim: try reclaim()
        case .check: try checkStore()
        case .usage: try measure()
        case .close: try close()
        }
    }

    /// Takes over how far back history is kept.
    func noteHistory() { model?.noteThinning(before: opened.keptHistory.denseFrom) }

    /// Something of a history that may not be kept any more: whether it was refused as such.
    func isThinned(
        _ point: Point,
        _ line: LineNode,
        _ body: () throws -> Void
    ) throws -> Bool {
        do {
            try body()
            return false
        } catch let error as OxbowError {
            noteHistory()
            guard error.kind == .notFound, !isSurelyKept(point, line) else { throw error }
            pending = []
            return true
        }
    }

    /// Ends the life where power is gone; a store that never stops asking the disk is a failure.
    func requirePower() throws {
        if disk.isExhausted { throw Divergence("\(operation) never ends") }
        if disk.hasLostPower { throw LifeOver() }
    }

    /// Takes what struck since the last time into the table.
    func collectFaults() {
        for event in disk.takeEvents() where sabotage == nil || !event.fault.isDamage {
            table.count(event.fault, operation)
            if event.fault == .failure || event.fault == .full { hasStruck = true }
            note("  fault: \(event.fault) on \(event.operation) of \(event.file) \(event.range)")
            if event.fault.isDamage || event.fault == .staleRead || event.fault == .misdirectedRead
            {
                lie()
            }
        }
    }

    /// From here on the store may find damage, or be without what it said was durable; but what it
    /// shows must still be what it was at some record.
    func lie() {
        hasLied = true
        model?.expectAnything()
    }

    /// Decides whether an error may be, and finds out what came of what was tried.
    func judge(_ error: OxbowError) throws {
        collectFaults()
        if disk.isExhausted { throw Divergence("\(operation) never ends") }
        switch error.kind {
        case .invalid, .conflict, .notFound, .busy, .defect:
            throw Divergence("\(operation): \(error.kind): \(error)")
        case .full:
            guard mayBeFull || hasFailed || mayFail else {
                throw Divergence("\(operation) on a disk with room: \(error)")
            }
        case .damaged:
            guard hasLied else { throw Divergence("false damage: \(operation): \(error)") }
        case .reopen:
            if disk.hasLostPower { throw LifeOver() }
            guard mayFail || hasLied else { throw Divergence("\(operation): \(error)") }
            // The second time it says so of its own accord: an earlier failure was for good.
            if hasFailed { throw LifeOver() }
            hasFailed = true
        }
        disk.removeFaults()
        // A store whose close failed is closed: only the next life can tell what it left.
        if operation == .close { throw LifeOver() }
        try settlePending()
    }

    /// Finds out, from the store as it stands, which of the pending changes were made.
    func settlePending() throws {
        do {
            let seen = try Observation(opened)
            try model?.reconcile(seen, opened, pending: pending, lossIsPossible: false)
            pending = []
        } catch let error as OxbowError {
            collectFaults()
            if error.kind == .damaged, hasLied { throw DamageFound() }
            if disk.hasLostPower { throw LifeOver() }
            guard error.kind == .reopen, mayFail, hasStruck else {
                throw Divergence("looking at the store after an error: \(error)")
            }
            disk.removeFaults()
            (mayFail, hasStruck) = (false, false)
            defer { (mayFail, hasStruck) = (true, true) }
            try settlePending()
        }
    }
}

extension StoreSimulation {
    /// The change was made by the record at this place.
    func confirm(_ change: ModelChange, _ mark: ModelMark) throws {
        if let complaint = model?.append(change, mark) {
            // A segment's name was never on the disk, nor what the superblock knew of it.
            if hasLied { throw DamageFound() }
            throw Divergence(complaint)
        }
        pending = []
        fold(mark.lsn.rawValue)
        fold(mark.time.rawValue)
    }

    /// The change was made by the last record in its branch's events.
    func confirmByEvents(_ change: ModelChange) throws {
        guard let id = change.eventBranch,
            let event = try opened.branch(id).events().last
        else { throw Divergence("no event of \(operation)") }
        try confirm(change, ModelMark(lsn: event.lsn, time: event.time))
        if expected.current[id]?.events.last?.action != event.action {
            throw Divergence("the last event is \(event.action) after \(operation)")
        }
        try learnExpiry(of: id)
    }

    func learnExpiry(of id: BranchID) throws {
        guard let branch = expected.current[id], case .within = branch.expiry else { return }
        let seen = try Observation(opened)
        if let difference = expected.current.difference(from: seen) {
            throw Divergence("after \(operation): \(difference)")
        }
        model?.learn(seen)
    }

    /// A call that must be refused in a certain way.
    func expectRefusal(_ kind: OxbowError.Kind, _ body: () throws -> Void) throws {
        do { try body() } catch let error as OxbowError {
            if error.kind == kind { return }
            let isOfTheDisk = [.full, .reopen, .damaged].contains(error.kind)
            if isOfTheDisk { throw error }
            throw Divergence("\(operation): expected \(kind), got \(error.kind): \(error)")
        }
        throw Divergence("\(operation): expected \(kind), and it was done")
    }
}
