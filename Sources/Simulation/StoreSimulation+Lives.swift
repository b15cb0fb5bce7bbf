import DiskIO
import Oxbow
import Primitives
import WriteAheadLog

extension StoreSimulation {
    /// A life that reads more often than this has lost its way.
    private static var operationLimit: Int { 400_000 }

    /// Runs the seed to its end: so many lives, or until damage is found where there is some.
    func run() throws {
        totals.seeds = 1
        let lives = 40 + draw(50)
        do {
            for life in 0..<lives {
                note("life \(life)")
                try live(isLying: regime == .lying && life > lives / 2)
            }
            note("the end")
            try reopen(withFaults: false)
            try compare(thoroughly: true)
            leave()
        } catch is DamageFound {
            totals.damageFound += 1
            leave()
        } catch is LifeOver {
            throw Divergence("power was lost though nobody took it")
        }
        fold(disk.trace)
    }

    private func live(isLying: Bool) throws {
        try reopen(withFaults: true)
        let start = expected.highestLSN
        let checkpoints = checkpointsEver
        do {
            try compare(thoroughly: random.oneIn(4))
            if sabotage == nil, !hasLied, !mayBeFull, random.oneIn(2) { try makeExcursion() }
            try work(isLying: isLying)
        } catch is LifeOver {}
        totals.checkpoints += checkpointsEver - checkpoints
        totals.sealedSegments += segment(expected.highestLSN) - segment(start)
        try end()
    }

    private func segment(_ lsn: LSN) -> Int { Int(lsn.rawValue >> UInt64(options.segmentBits)) }

    /// How many superblocks were written.
    private var checkpointsEver: Int {
        let bytes = disk.bytes(of: Superblock.fileName) ?? []
        let slots = [bytes.prefix(Superblock.slotSize), bytes.dropFirst(Superblock.slotSize)]
        return slots.compactMap { try? Superblock.decode(Array($0)) }.map { Int($0.sequence) }.max()
            ?? 0
    }

    /// Operations, until power is lost, or the life has been long enough.
    private func work(isLying: Bool) throws {
        let length = 1 + draw([4, 16, 40][draw(3)])
        for _ in 0..<length {
            jumpMaybe()
            if sabotage != nil { breakTheLaw() }
            try prepareFaults(isLying: isLying)
            try perform(StoreOperation.drawn(by: draw))
            endFaults()
        }
        if random.oneIn(4) { return }
        disk.crashAfter(operations: 1 + draw(6))
        for _ in 0..<8 { try perform(StoreOperation.drawn(by: draw)) }
    }

    private func jumpMaybe() {
        guard clockJumps, random.oneIn(40) else { return }
        let size = Int64([1, 60, 3600, 86_400, 86_400 * 30][draw(5)]) * Int64(1 + draw(9))
        jump(by: .seconds(random.oneIn(2) ? size : -size))
        if random.oneIn(4) { store?.confirmClock() }
    }

    /// Leaves the store in the middle of things: power is lost, or the process ends.
    func end() throws {
        let wasLost = disk.hasLostPower
        // A process that ends after a failure leaves what the machine still shows of its files.
        if wasLost || random.oneIn(2) {
            note("power is lost")
            crash()
        } else {
            note("the process ends")
            disk = disk.kill()
            totals.kills += 1
        }
        leave()
        totals.cycles += 1
    }

    func crash() {
        let fate: CrashModel.Fate = [.drawn, .drawn, .drawn, .everythingKept, .everythingLost][
            draw(5)
        ]
        let model = CrashModel(
            fate,
            tears: !random.oneIn(4),
            garbles: random.oneIn(4),
            reorders: !random.oneIn(4)
        )
        disk = disk.crash(model)
        clock = clock.rebooted()
        totals.powerLosses += 1
        collectFaults()
        fold(disk.trace)
    }

    /// Lets go of the store. Its disk is gone, so it can touch nothing any more.
    func leave() {
        views = []
        store = nil
        disk.removeFaults()
        disk.crashAfter(operations: nil)
        disk.capacity = 1 << 40
        (mayFail, hasStruck, hasFailed, mayBeFull) = (false, false, false, false)
    }

    /// Opens the store, crashing and failing on the way now and then, and finds out which state it
    /// is in.
    func reopen(withFaults: Bool) throws {
        operation = .open
        for attempt in 0... {
            guard attempt < 20 else { throw Divergence("the store does not open any more") }
            disk.limit(operations: Self.operationLimit)
            if withFaults, attempt < 4 { prepareOpeningFaults() }
            table.count(.open)
            do {
                store = try Store.open(disk, clock, options, entropy: Entropy { random.next() })
                collectFaults()
                // What was armed and did not strike yet strikes the first operations.
                try requirePower()
                try recognize()
                return
            } catch let error as OxbowError {
                note("  open: \(error)")
                try judgeOpening(error)
            } catch is LifeOver {
                store = nil
                totals.recoveriesCut += 1
                crash()
            }
        }
    }

    private func judgeOpening(_ error: OxbowError) throws {
        collectFaults()
        store = nil
        if disk.isExhausted { throw Divergence("opening never ends") }
        if disk.hasLostPower {
            totals.recoveriesCut += 1
            totals.cycles += 1
            return crash()
        }
        switch error.kind {
        case .damaged where hasLied: throw DamageFound()
        case .damaged: throw Divergence("false damage at opening: \(error)")
        case .full where mayBeFull, .reopen where mayFail, .full where mayFail,
            .reopen where hasLied:
            disk.removeFaults()
            disk.capacity = 1 << 40
            (mayFail, mayBeFull) = (false, false)
            disk.crashAfter(operations: nil)
            if random.oneIn(2) { crash() } else { disk = disk.kill() }
        default: throw Divergence("opening: \(error.kind): \(error)")
        }
    }

    /// Finds the state that the store is in among those that it may be in.
    private func recognize() throws {
        do {
            let seen = try Observation(opened)
            if model == nil {
                model = try firstModel(seen)
            } else {
                try model?.reconcile(seen, opened, pending: pending, lossIsPossible: true)
            }
            note("  \(expected.states.count) states, \(expected.durableCount) durable")
            pending = []
            model?.noteAllDurable()
            noteHistory()
            points.removeAll { !isThere($0.point, $0.line) }
        } catch let error as OxbowError {
            collectFaults()
            if disk.hasLostPower { throw LifeOver() }
            if error.kind == .damaged, hasLied { throw DamageFound() }
            guard error.kind == .reopen, mayFail else {
                throw Divergence("looking at the store: \(error)")
            }
            disk.removeFaults()
            return try recognize()
        }
    }

    private func firstModel(_ seen: Observation) throws -> ReferenceModel {
        guard seen.branches.count == 1, let main = seen.branches.first, main.name == "main",
            main.parent == nil, seen.snapshots.isEmpty
        else { throw Divergence("a new store has \(seen.branches)") }
        let mark = ModelMark(lsn: main.head.lsn, time: main.head.time)
        let line = LineNode(mark, main.timeline, ModelPages(), after: nil)
        return ReferenceModel(
            ModelBranch(
                id: main.id,
                name: "main",
                author: Author(),
                created: main.created,
                parent: nil,
                origin: nil,
                head: line,
                shown: ShownNode(line, after: nil),
                events: [ModelEvent(action: "created", detail: "", author: Author())]
            )
        )
    }
}
