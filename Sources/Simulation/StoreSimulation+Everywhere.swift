import Primitives

/// Crashes at every operation that changes the disk, and not only where a draw says so.
extension StoreSimulation {
    /// A place to crash at: the disk, and what is known of the store by then.
    private struct Place {
        let disk: SimulatedDisk
        let model: ReferenceModel
        let pending: [ModelChange]
        let operation: StoreOperation
    }

    /// Runs so many operations, and crashes a copy of the disk at every change that they make.
    ///
    /// - Parameter twice: Whether each recovery is cut short at every change that it makes, too.
    func runEverywhere(operations: Int, twice: Bool) throws {
        totals.seeds = 1
        try reopen(withFaults: false)
        for _ in 0..<operations {
            var places: [Place] = []
            disk.beforeChange = { [unowned self] in
                let copy = disk.snapshot(seed: random.next())
                places.append(
                    Place(disk: copy, model: expected, pending: pending, operation: operation)
                )
            }
            defer { disk.beforeChange = nil }
            var isOver = false
            do { try perform(StoreOperation.drawn(by: draw)) } catch is LifeOver { isOver = true }
            disk.beforeChange = nil
            for place in places { try crash(at: place, twice: twice) }
            guard isOver else { continue }
            disk = disk.kill()
            leave()
            try reopen(withFaults: false)
        }
        leave()
    }

    private func crash(at place: Place, twice: Bool) throws {
        try recover(from: place, cutAfter: nil)
        guard twice else { return }
        var count = 1
        while try recover(from: place, cutAfter: count) { count += 1 }
    }

    /// Crashes at a place and opens the store again. Returns whether the recovery was cut short.
    @discardableResult
    private func recover(from place: Place, cutAfter count: Int?) throws -> Bool {
        let branched = StoreSimulation(
            branching: self,
            disk: place.disk.snapshot(seed: random.next()),
            place.model,
            place.pending
        )
        branched.operation = place.operation
        branched.note("a crash during \(place.operation), and in recovery at \(count ?? 0)")
        branched.crash()
        if let count { branched.disk.crashAfter(operations: count) }
        defer {
            totals += branched.totals
            table += branched.table
            trace = Checksum.fold(trace, branched.trace)
        }
        do {
            try branched.reopen(withFaults: false)
            try branched.compare(thoroughly: random.oneIn(8))
        } catch let error as Divergence {
            journal?.append(contentsOf: branched.journal ?? [])
            throw error
        } catch is LifeOver {
            // The cut came after the store was open: all places in the recovery have been tried.
            branched.crash()
            branched.leave()
            try branched.reopen(withFaults: false)
        }
        branched.totals.cycles += 1
        branched.leave()
        return branched.totals.recoveriesCut > 0
    }
}
