import Primitives

/// What a fault does during an operation, for every pair of them: on a copy of the disk, so that
/// the run itself goes on as if nothing had been.
extension StoreSimulation {
    /// Tries a pair of an operation and a fault by the draw, from where the run stands.
    func makeExcursion() throws {
        let operations = StoreOperation.allCases
        let wanted = operations[draw(operations.count)]
        let faults = Fault.allCases.filter { FaultTable.isPossible($0, wanted) }
        let fault = faults[draw(faults.count)]
        let branched = StoreSimulation(
            branching: self,
            disk: disk.snapshot(seed: random.next()),
            expected,
            []
        )
        defer {
            totals += branched.totals
            table += branched.table
            fold(branched.trace)
        }
        do { try branched.suffer(fault, during: wanted) } catch {
            note("excursion: \(fault) during \(wanted)")
            journal?.append(contentsOf: branched.journal ?? [])
            throw error
        }
    }

    private func suffer(_ fault: Fault, during wanted: StoreOperation) throws {
        note("  \(fault) during \(wanted)")
        // A copy of the disk has what was armed on it.
        leave()
        do {
            if wanted == .open {
                if fault == .staleRead {
                    try reopen(withFaults: false)
                    try writeOver()
                    disk = disk.kill()
                    leave()
                }
                arm(fault, during: wanted)
            }
            try reopen(withFaults: false)
            do { try endure(fault, during: wanted) } catch is LifeOver {}
            try end()
            try reopen(withFaults: false)
            do { try compare(thoroughly: random.oneIn(6)) } catch is LifeOver {
                // A failure of the disk that the end of the life did not outlive.
            }
        } catch is DamageFound { totals.damageFound += 1 }
        leave()
    }

    private func endure(_ fault: Fault, during wanted: StoreOperation) throws {
        guard wanted != .open else { return }
        if fault == .staleRead { try writeOver() }
        // Some do nothing now and then: where there is nothing to delete, or no view to read.
        for _ in 0..<3 where table[wanted, fault] == 0 {
            // So that there is something to be written.
            if !wanted.onlyReads, fault != .staleRead {
                try perform(random.oneIn(3) ? .commitLarge : .commitBuffered)
            }
            // A close reads only the nodes that its checkpoint changes: some, after many changes.
            if wanted == .close, fault == .misdirectedRead { try perform(.commitLarge) }
            alwaysSyncs = true
            arm(fault, during: wanted)
            try perform(wanted)
            alwaysSyncs = false
            disk.crashAfter(operations: nil)
        }
    }

    /// Makes the disk remember what it writes over, and the store forget what it wrote.
    private func writeOver() throws {
        disk.inject(FaultRule(.staleRead, on: .read, .nth(.max)))
        for operation in [StoreOperation.commitLarge, .checkpoint, .commitLarge, .sync] {
            try perform(operation)
        }
        disk = disk.kill()
        leave()
        try reopen(withFaults: false)
    }

    private func arm(_ fault: Fault, during wanted: StoreOperation) {
        operation = wanted
        let soon = FaultRule.Moment.nth(1 + draw(3))
        switch fault {
        case .failure, .full:
            mayFail = true
            let kinds: [DiskOperation] =
                wanted.onlyReads
                ? [.read, .read, .open]
                : [.write, .write, .sync, .read, .create, .allocate, .syncFolder, .open]
            let fitting = kinds.filter(fault.canStrike)
            disk.inject(FaultRule(fault, on: fitting[draw(fitting.count)], soon))
        case .powerLoss, .dropped, .torn, .garbled, .reordered:
            disk.crashAfter(operations: 1 + draw(5))
        case .lostWrite, .misdirectedWrite: disk.inject(FaultRule(fault, on: .write, soon))
        case .ignoredSync:
            disk.inject(FaultRule(fault, on: random.oneIn(4) ? .syncFolder : .sync, soon))
        case .staleRead: disk.inject(FaultRule(fault, on: .read, .oneIn(2)))
        case .misdirectedRead: disk.inject(FaultRule(fault, on: .read, soon))
        case .rot: disk.rot(count: 1 + draw(8))
        }
        collectFaults()
    }
}
