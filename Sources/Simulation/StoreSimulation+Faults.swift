import Oxbow
import Primitives

extension StoreSimulation {
    /// Arms, for the next operation, what the regime has in store.
    func prepareFaults(isLying: Bool) throws {
        switch regime {
        case .honest: break
        case .failing:
            guard !hasFailed, random.oneIn(6) else { return }
            failSome(for: 4)
        case .full:
            if mayBeFull {
                if random.oneIn(8) { giveSpaceBack() }
            } else if random.oneIn(10) {
                takeSpace()
            }
        case .lying:
            guard isLying, random.oneIn(5) else { return }
            deceive()
        }
    }

    /// Takes back what did not strike.
    func endFaults() {
        guard regime == .failing || regime == .lying else { return }
        if !hasFailed || random.oneIn(3) { disk.removeFaults() }
        if !hasFailed, !hasStruck { mayFail = false }
    }

    /// Makes one of the next calls of a kind fail, or that one and all after it.
    private func failSome(for calls: Int) {
        let kinds: [DiskOperation] = [
            .write, .write, .sync, .sync, .read, .read, .create, .allocate, .syncFolder, .remove,
            .truncate, .open, .list, .rename,
        ]
        let kind = kinds[draw(kinds.count)]
        let fault: Fault = random.oneIn(4) && Fault.full.canStrike(kind) ? .full : .failure
        let times = random.oneIn(3) ? Int.max : 1
        disk.inject(FaultRule(fault, on: kind, .nth(1 + draw(calls)), times: times))
        note("  \(fault) on \(kind) to come")
        mayFail = true
    }

    private func takeSpace() {
        guard let free = try? disk.availableBytes() else { return }
        let slack = UInt64(draw(8)) << UInt64(options.segmentBits)
        disk.capacity = disk.capacity - free + slack
        note("  \(slack) bytes free")
        mayBeFull = true
    }

    private func giveSpaceBack() {
        disk.capacity = 1 << 40
        note("  space is back")
        mayBeFull = false
    }

    private func deceive() {
        switch draw(7) {
        case 0, 1:
            note("  rot")
            disk.rot(count: 1 + draw(3))
        case 2: disk.inject(FaultRule(.lostWrite, on: .write, .nth(1 + draw(3))))
        case 3: disk.inject(FaultRule(.misdirectedWrite, on: .write, .nth(1 + draw(3))))
        case 4:
            let kind: DiskOperation = random.oneIn(4) ? .syncFolder : .sync
            disk.inject(FaultRule(.ignoredSync, on: kind, .nth(1 + draw(3)), times: 1 + draw(3)))
        case 5: disk.inject(FaultRule(.staleRead, on: .read, .nth(1 + draw(3))))
        default: disk.inject(FaultRule(.misdirectedRead, on: .read, .nth(1 + draw(3))))
        }
        collectFaults()
    }

    /// As ``prepareFaults(isLying:)``, for opening a store.
    func prepareOpeningFaults() {
        if random.oneIn(3) { disk.crashAfter(operations: 1 + draw(14)) }
        switch regime {
        case .failing: if random.oneIn(3) { failSome(for: 8) }
        case .full: if random.oneIn(6) { takeSpace() }
        case .lying: if hasLied, random.oneIn(3) { deceive() }
        case .honest: break
        }
    }

    /// Compares a store that was just opened with the model: all of it, or samples.
    func compare(thoroughly: Bool) throws {
        do {
            let living = expected.current.living
            if thoroughly {
                for branch in living { try compareAll(branch) }
                for branch in expected.current.branches {
                    try compareName(of: branch)
                    let events = try opened.branch(branch.id).events()
                    if let difference = branch.difference(from: events) {
                        throw Divergence(difference)
                    }
                }
            } else if !living.isEmpty {
                for _ in 0..<2 { try checkHead(living[draw(living.count)], reads: 6) }
            }
            for _ in 0..<(thoroughly ? 6 : 1) { try readPast() }
            try listHistory()
        } catch let error as OxbowError {
            note("  comparing: \(error)")
            try judge(error)
        }
        collectFaults()
        try requirePower()
    }

    /// A name leads to the branch that has it, and to no branch that was deleted.
    private func compareName(of branch: ModelBranch) throws {
        if branch.isAlive {
            guard try opened.branch(branch.name).id == branch.id else {
                throw Divergence("\(branch.name) leads to another branch than \(branch.id)")
            }
        } else if !expected.current.isTaken(branch.name) {
            try expectRefusal(.notFound) { _ = try opened.branch(branch.name) }
            guard try opened.deletedBranch(branch.name).deleted != nil else {
                throw Divergence("the deleted branch \(branch.name) is alive")
            }
        }
    }

    private func compareAll(_ branch: ModelBranch) throws {
        let view = try handle(branch).view()
        for object in 1...3 as ClosedRange<UInt64> {
            var listed: [PageNumber] = []
            try view.visitPages(of: ObjectID(object)) { page in
                listed.append(page)
                return true
            }
            let expectedPages = branch.pages.pages(of: ObjectID(object), from: 0)
            guard listed == expectedPages else {
                throw Divergence(
                    "object \(object) of \(branch.name) has pages \(listed), expected "
                        + "\(expectedPages)"
                )
            }
        }
        for key in branch.pages.keys {
            let bytes = try view.read(page: key.page, of: key.object)
            try check(bytes, key, branch.pages, branch.name)
        }
    }
}
