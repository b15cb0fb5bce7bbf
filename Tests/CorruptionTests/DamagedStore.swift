import DiskIO
import Oxbow
import Primitives
import Simulation

/// A small store on a simulated disk, and all that it must show: for any damage, every answer is
/// either this or an error of kind `damaged`.
struct DamagedStore {
    static let table = ObjectID(1)
    static let pageCount = 12

    private(set) var disk: SimulatedDisk
    let clock: SimulatedClock
    /// The pages of each branch, and of each point of main's history.
    var branches: [String: [[UInt8]]] = [:]
    var points: [(lsn: LSN, pages: [[UInt8]])] = []

    static var options: StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.pageSize = 512
        options.segmentBits = 16
        options.checkpointChanges = 24
        options.cacheBytes = 1 << 20
        return options
    }

    init(seed: UInt64, rounds: Int = 12, closes: Bool = true) throws {
        disk = SimulatedDisk(seed: seed)
        clock = SimulatedClock(seed: seed)
        var random = SeededRandom(seed: seed)
        let store = try Self.open(disk, clock)
        let main = try store.branch("main")
        var pages = [[UInt8]](repeating: Array(repeating: 0, count: 512), count: Self.pageCount)
        for round in 0..<rounds {
            let commit = try main.commit(round % 3 == 0 ? .synced : .buffered) { edit in
                for _ in 0..<3 {
                    let number = random.below(Self.pageCount)
                    pages[number] = Self.page(&random)
                    try edit.write(
                        pages[number],
                        page: PageNumber(UInt64(number)),
                        of: Self.table
                    )
                }
                if round == 5 {
                    try edit.delete(pages: 2, upTo: 4, of: Self.table)
                    pages[2] = Array(repeating: 0, count: 512)
                    pages[3] = pages[2]
                }
            }
            points.append((commit.lsn, pages))
            if round % 4 == 1 {
                try store.fork("b\(round)", from: main)
                branches["b\(round)"] = pages
            }
            try store.step()
        }
        branches["main"] = pages
        try store.sync()
        if closes {
            try store.close()
        } else {
            // The idle mark tells that all before it is durable; then the power goes.
            while try store.step() {}
            let crashed = disk.snapshot()
            try store.close()
            disk = crashed
        }
    }

    /// Half of it compressible.
    private static func page(_ random: inout SeededRandom) -> [UInt8] {
        let isText = random.oneIn(2)
        return (0..<512).map { index in
            UInt8(truncatingIfNeeded: isText ? UInt64(index / 37) : random.next())
        }
    }

    static func open(_ disk: any Disk, _ clock: any Clock) throws -> Store {
        var random = SeededRandom(seed: 99)
        return try Store.open(disk, clock, options, entropy: Entropy { random.next() })
    }

    /// What came of opening a damaged copy and reading everything.
    enum Outcome: Equatable {
        /// It was reported: by the opening, a read, or the check.
        case reported
        /// Everything read as it must.
        case harmless
        case wrong(String)
    }

    /// Opens a copy, reads everything and checks it.
    ///
    /// Where the tail may be lost, so may the last commits; what is shown must then be one of the
    /// states that there were.
    func outcome(of copy: SimulatedDisk) -> Outcome {
        do {
            let store = try Self.open(copy, clock)
            defer { _ = try? store.close() }
            var isReported = false
            for name in branches.keys.sorted() {
                switch try read(store, name) {
                case .reported: isReported = true
                case .harmless: break
                case .wrong(let what): return .wrong(what)
                }
            }
            for point in points {
                switch try readPast(store, point) {
                case .reported: isReported = true
                case .harmless: break
                case .wrong(let what): return .wrong(what)
                }
            }
            let report = try store.check()
            return isReported || !report.isSound ? .reported : .harmless
        } catch let error as OxbowError {
            return error.kind == .damaged ? .reported : .wrong("\(error.kind): \(error)")
        } catch { return .wrong("\(error)") }
    }

    private func read(_ store: Store, _ name: String) throws -> Outcome {
        let branch = try store.branch(name)
        return try compare(branches[name] ?? []) { page in
            try branch.read(page: page, of: Self.table)
        }
    }

    private func readPast(
        _ store: Store,
        _ point: (lsn: LSN, pages: [[UInt8]])
    ) throws -> Outcome {
        let main = try store.branch("main")
        do {
            let found = try main.point(at: .lsn(point.lsn))
            guard found.lsn == point.lsn else { return .wrong("\(point.lsn) became \(found.lsn)") }
            let view = try main.view(at: found)
            return try compare(point.pages) { page in try view.read(page: page, of: Self.table) }
        } catch let error as OxbowError where error.kind == .damaged { return .reported }
    }

    private func compare(
        _ expected: [[UInt8]],
        _ read: (PageNumber) throws -> [UInt8]
    ) throws -> Outcome {
        var isReported = false
        for (number, page) in expected.enumerated() {
            do {
                let found = try read(PageNumber(UInt64(number)))
                if found != page { return .wrong("page \(number) reads as other bytes") }
            } catch let error as OxbowError where error.kind == .damaged { isReported = true }
        }
        return isReported ? .reported : .harmless
    }
}
