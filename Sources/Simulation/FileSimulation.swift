import DiskIO
import Oxbow
import Primitives
import Volume

/// One seed's volumes: branches of files on a simulated disk, life after life, held against a
/// model. What was synced is there after each crash, what was done after it is there up to some
/// moment and not beyond, and every volume is sound.
final class FileSimulation {
    /// A branch, and what its files may look like after a crash: as after any of these moments,
    /// of which the first is durable and the last is now.
    struct Member {
        let name: String
        var files: BranchFiles
        var moments: [FileModel]
        var handles: [(file: OpenFile, node: Int)] = []
        /// It was deleted, and that may be durable or not.
        var mayBeGone = false

        var now: FileModel { moments[moments.count - 1] }
    }

    let seed: UInt64
    var random: SeededRandom
    var disk: SimulatedDisk
    let clock: SimulatedClock
    var store: Store?
    var members: [Member] = []
    /// Points that were looked at when they were the head, and what was seen then.
    var past: [(point: Point, listing: FileListing)] = []
    var totals = FileSimulationTotals()
    var journal: [String]?
    /// Whether the disk may be too full, or fail.
    var mayBeFull = false
    private var isFailing = false
    private var nextBranch = 0

    /// The store asks to be opened anew, or power was lost.
    struct LifeOver: Error {}

    init(seed: UInt64, keepsJournal: Bool = false) {
        self.seed = seed
        random = SeededRandom(seed: seed)
        disk = SimulatedDisk(seed: random.next())
        clock = SimulatedClock(seed: random.next())
        journal = keepsJournal ? [] : nil
    }

    func note(_ text: @autoclosure () -> String) {
        if journal != nil { journal?.append(text()) }
    }

    func draw(_ count: Int) -> Int { random.below(count) }

    private var options: StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.segmentBits = 18
        options.cacheBytes = 1 << 20
        options.checkpointBytes = 256 << 10
        return options
    }

    func run(lives: Int = 6) throws {
        for life in 0..<lives {
            note("life \(life)")
            do {
                try open()
                try live()
            } catch is LifeOver {
            } catch let error as OxbowError where error.kind == .reopen && isFailing {
            } catch let error as OxbowError where error.kind == .full && mayBeFull {}
            end()
        }
        disk.removeFaults()
        disk.capacity = 1 << 40
        try open()
        try compare()
    }

    /// Loses power, or only the process.
    private func end() {
        let old = disk
        if random.oneIn(4) {
            disk = old.kill()
            totals.kills += 1
        } else {
            disk = old.crash(CrashModel())
            totals.powerLosses += 1
        }
        disk.removeFaults()
        disk.capacity = 1 << 40
        mayBeFull = false
        isFailing = false
        waiting = members.map { ($0.name, $0.moments, $0.mayBeGone) }
        // What closes now no longer reaches the disk.
        members = []
        store = nil
    }

    /// What is to be found when the store is open again.
    private var waiting: [(name: String, moments: [FileModel], mayBeGone: Bool)] = []

    private func open() throws {
        var entropy = SeededRandom(seed: random.next())
        let store = try Store.open(
            disk,
            clock,
            options,
            entropy: Entropy { entropy.next() }
        )
        self.store = store
        if waiting.isEmpty {
            let files = try BranchFiles.open(store.branch("main"))
            try store.sync()
            waiting = []
            members = [Member(name: "main", files: files, moments: [FileModel()])]
            return
        }
        for (name, moments, mayBeGone) in waiting {
            if mayBeGone, try !store.branches().contains(where: { $0.name == name }) { continue }
            let files = try BranchFiles.open(store.branch(name))
            let found = try FileListing(files)
            guard let index = moments.lastIndex(where: { FileListing(closed($0)) == found }) else {
                let difference = found.difference(from: FileListing(closed(moments[0]))) ?? ""
                throw Divergence("\(name) is as it never was since its sync: \(difference)")
            }
            note("\(name) came back at moment \(index) of \(moments.count - 1)")
            members.append(Member(name: name, files: files, moments: [closed(moments[index])]))
        }
        waiting = []
        try store.sync()
        try prove()
    }

    /// As the model is when nobody has files open.
    private func closed(_ model: FileModel) -> FileModel {
        var model = model
        model.closeAll()
        return model
    }

    private func live() throws {
        for _ in 0..<60 + draw(120) {
            try step()
            if random.oneIn(120) { throw LifeOver() }
        }
    }

    private func step() throws {
        guard let store else { return }
        clock.advance(by: .milliseconds(draw(2000)))
        switch draw(100) {
        case 0..<72: try operate()
        case 72..<80: try useHandle()
        case 80..<84: try sync()
        case 84..<87: try remember()
        case 87..<90: try look()
        case 90..<92: try fork()
        case 92: try forget()
        case 93: try reset()
        case 94: try expectStore { _ = try store.step() }
        case 95: try expectStore { try store.checkpoint() }
        case 96: try expectStore { try store.reclaim() }
        case 97: try prove()
        case 98: disturb()
        default: try compare()
        }
    }

    private func disturb() {
        if mayBeFull {
            disk.capacity = 1 << 40
            mayBeFull = false
        } else if draw(2) == 0, let free = try? disk.availableBytes() {
            disk.capacity = disk.capacity - free + UInt64(draw(8)) << 16
            mayBeFull = true
        } else {
            isFailing = true
            let kinds: [DiskOperation] = [.write, .sync]
            disk.inject(FaultRule(.failure, on: kinds[draw(2)], .nth(1 + draw(6))))
        }
    }

    /// Runs what the store may refuse when its disk is full or fails.
    func expectStore(_ body: () throws -> Void) throws {
        do { try body() } catch let error as OxbowError {
            note("  \(error)")
            if error.kind == .full, mayBeFull { return }
            if error.kind == .reopen, isFailing { throw LifeOver() }
            throw error
        } catch let error as VolumeError {
            note("  \(error)")
            if error.kind == .full, mayBeFull { return }
            if error.kind == .failed, isFailing { throw LifeOver() }
            throw error
        }
    }

    /// Makes everything durable: from now on there is no way back.
    func sync() throws {
        var isDurable = false
        try expectStore {
            try members[draw(members.count)].files.sync()
            isDurable = true
        }
        guard isDurable else { return }
        note("sync")
        for index in members.indices { members[index].moments = [members[index].now] }
    }

    private func nextName() -> String {
        nextBranch += 1
        return "b\(nextBranch)"
    }

    private func fork() throws {
        guard members.count < 4, let store else { return }
        let parent = members[draw(members.count)]
        let name = nextName()
        try expectStore {
            let branch = try store.fork(name, from: store.branch(parent.name))
            try store.sync()
            for index in members.indices { members[index].moments = [members[index].now] }
            let files = try BranchFiles.open(branch)
            note("fork \(name) from \(parent.name)")
            members.append(Member(name: name, files: files, moments: [closed(parent.now)]))
            // Its orphans were reaped, which a crash may undo: that does not show.
        }
    }

    private func forget() throws {
        guard members.count > 1, let store else { return }
        let index = 1 + draw(members.count - 1)
        let branch = try store.branch(members[index].name)
        members[index].mayBeGone = true
        do throws(OxbowError) { try branch.delete() } catch {
            return try expectStore { throw error }
        }
        note("delete \(members[index].name)")
        do { try store.sync() } catch {
            try expectStore { throw error }
            throw LifeOver()
        }
        try expectStale(members.remove(at: index).files)
        for index in members.indices { members[index].moments = [members[index].now] }
    }

    private func reset() throws {
        guard let store, let (point, listing) = past.randomPick(&random) else { return }
        let branch = try? store.branch(members[0].name)
        guard let branch else { return }
        guard let model = models[point.lsn] else { return }
        do throws(OxbowError) { try branch.reset(to: point) } catch {
            if error.kind == .notFound { return }
            return try expectStore { throw error }
        }
        note("reset \(members[0].name) to \(point.lsn)")
        members[0].handles = []
        members[0].moments.append(closed(model))
        try expectStale(members[0].files)
        do {
            try store.sync()
            for index in members.indices { members[index].moments = [members[index].now] }
            members[0].files = try BranchFiles.open(branch)
        } catch {
            try expectStore { throw error }
            // The branch has left what its files are bound to.
            throw LifeOver()
        }
        if let difference = try FileListing(members[0].files).difference(from: listing) {
            throw Divergence("after a reset to \(point.lsn) main \(difference)")
        }
    }

    /// The models at the points in `past`.
    var models: [LSN: FileModel] = [:]

    private func expectStale(_ files: BranchFiles) throws {
        do throws(VolumeError) {
            try files.makeFile(FileName("late"), in: .root, Ownership(permissions: 0o644))
        } catch {
            if error.kind == .stale { return }
            throw Divergence("after its branch went a volume said: \(error)")
        }
        throw Divergence("a volume was written to after its branch went")
    }

    /// Every volume is sound.
    private func prove() throws {
        guard let store else { return }
        for member in members {
            let view = try store.branch(member.name).view()
            let report = try PastFiles(view).check()
            guard report.problems.isEmpty else {
                throw Divergence("\(member.name) is not sound: \(report.problems[0])")
            }
        }
        totals.proofs += 1
    }
}

extension Array {
    fileprivate func randomPick(_ random: inout SeededRandom) -> Element? {
        isEmpty ? nil : self[random.below(count)]
    }
}
