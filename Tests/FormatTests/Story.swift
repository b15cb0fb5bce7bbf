import DiskIO
import Oxbow
import Primitives

/// A clock that moves by a millisecond whenever it is looked at, so that a seed gives one store.
final class TickingClock: Clock, Sendable {
    private let start: UInt64
    private let lock = Lock()
    // Safe to share: guarded by `lock`.
    nonisolated(unsafe) private var ticks: UInt64 = 0

    init(start: UInt64 = 1_775_688_962_000_000_000) { self.start = start }

    func now() -> UInt64 { lock.withLock { tick() } + start }
    func monotonic() -> UInt64 { lock.withLock { tick() } }

    private func tick() -> UInt64 {
        ticks += 1
        return ticks * 1_000_000
    }
}

/// A page's place.
struct Place: Hashable {
    let object: ObjectID
    let page: PageNumber
}

/// What a branch must show: for each page that was written, the number that its bytes are made of.
typealias Pages = [Place: UInt64]

/// Does to a store whatever can be done to one, by a seed, and knows what it must show then.
struct Story {
    private(set) var store: Store
    private(set) var shown: [String: Pages] = ["main": [:]]
    private var past: [(point: Point, pages: Pages)] = []
    private var deleted: [(id: BranchID, name: String, pages: Pages)] = []
    private var random: SeededRandom
    private var drawn: UInt64 = 0
    private let pageSize: Int

    static func options(pageSize: Int, segmentBits: Int) -> StoreOptions {
        var options = StoreOptions()
        options.pageSize = pageSize
        options.segmentBits = segmentBits
        options.upkeep = .manual
        options.checkpointChanges = 400
        options.checkpointBytes = 1 << 19
        options.windowBytes = 1 << 30
        return options
    }

    init(_ folder: String, _ options: StoreOptions, seed: UInt64) throws {
        var entropy = SeededRandom(seed: seed)
        store = try Store.open(
            try LocalDisk(folder, create: true),
            TickingClock(),
            options,
            entropy: Entropy { entropy.next() }
        )
        random = SeededRandom(seed: seed &+ 1)
        pageSize = options.pageSize
    }

    /// The bytes of a page: every third does not compress.
    static func bytes(_ number: UInt64, _ pageSize: Int) -> [UInt8] {
        var random = SeededRandom(seed: number)
        if number % 3 == 0 {
            return (0..<pageSize).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
        let text = Array("page \(number) of a store that others must be able to read. ".utf8)
        return (0..<pageSize).map { text[$0 % text.count] }
    }

    mutating func run(rounds: Int) throws {
        for round in 0..<rounds {
            try turn(random.below(24), round)
            if random.oneIn(3) { try store.step() }
        }
    }

    private mutating func turn(_ choice: Int, _ round: Int) throws {
        let names = shown.keys.sorted()
        let name = names[random.below(names.count)]
        switch choice {
        case 0: try fork("f\(round)", from: name)
        case 1: try forkThePast("p\(round)")
        case 2: try reset(name)
        case 3: try snapshot("s\(round)")
        case 4: try delete(name)
        case 5: try undelete("u\(round)")
        case 6: try rename(name, to: "r\(round)")
        case 7: try store.checkpoint()
        case 8: try mark(name)
        case 9: try commit(on: name, writes: 40 + random.below(120))
        default: try commit(on: name, writes: random.below(12))
        }
    }

    /// One commit of writes and deletions, in any order.
    mutating func commit(on name: String, writes: Int) throws {
        var pages = shown[name] ?? [:]
        let branch = try store.branch(name)
        try branch.commit(random.oneIn(2) ? .synced : .buffered) { edit in
            for _ in 0..<writes {
                let object = ObjectID(UInt64(1 + random.below(3)))
                let page = PageNumber(UInt64(random.below(90)))
                switch random.below(12) {
                case 0:
                    try edit.delete(page: page, of: object)
                    pages[Place(object: object, page: page)] = nil
                case 1:
                    let end = PageNumber(page.rawValue + UInt64(random.below(9)))
                    try edit.delete(pages: page, upTo: end, of: object)
                    pages = pages.filter {
                        $0.key.object != object || !(page..<end).contains($0.key.page)
                    }
                default:
                    drawn += 1
                    try edit.write(Self.bytes(drawn, pageSize), page: page, of: object)
                    pages[Place(object: object, page: page)] = drawn
                }
            }
        }
        shown[name] = pages
        past.append((try branch.point(at: .head), pages))
    }

    private mutating func fork(_ name: String, from parent: String) throws {
        try store.fork(
            name,
            from: try store.branch(parent),
            by: Author("story", labels: ["a": "b"])
        )
        shown[name] = shown[parent]
    }

    private mutating func forkThePast(_ name: String) throws {
        guard !past.isEmpty else { return }
        let moment = past[random.below(past.count)]
        try store.fork(name, from: moment.point, expires: .after(.seconds(86_400)))
        shown[name] = moment.pages
    }

    private mutating func reset(_ name: String) throws {
        guard !past.isEmpty else { return }
        let moment = past[random.below(past.count)]
        try store.branch(name).reset(to: moment.point)
        shown[name] = moment.pages
    }

    private mutating func snapshot(_ name: String) throws {
        guard !past.isEmpty else { return }
        let moment = past[random.below(past.count)]
        try store.createSnapshot(name, of: moment.point)
        if random.oneIn(4) { try store.deleteSnapshot(name) }
    }

    private mutating func delete(_ name: String) throws {
        guard name != "main" else { return }
        let branch = try store.branch(name)
        try branch.delete(by: Author("story"))
        deleted.append((branch.id, name, shown.removeValue(forKey: name) ?? [:]))
    }

    private mutating func undelete(_ name: String) throws {
        guard let last = deleted.popLast() else { return }
        let isToStay = last.id.rawValue % 3 == 0
        try store.undelete(
            last.id,
            as: name,
            expires: isToStay ? .never : .after(.seconds(1 << 20))
        )
        shown[name] = last.pages
    }

    private mutating func rename(_ name: String, to other: String) throws {
        guard name != "main" else { return }
        try store.branch(name).rename(to: other)
        shown[other] = shown.removeValue(forKey: name)
    }

    private func mark(_ name: String) throws {
        let branch = try store.branch(name)
        try branch.protect()
        try branch.setExpiry(.after(.seconds(1 << 20)))
        try branch.setWindow(.seconds(60), bytes: 1 << 20)
        try branch.protect(false)
        try branch.setExpiry(.never)
    }

    /// Forgets the past, and gives back what only that reached.
    mutating func forget() throws -> ReclaimReport {
        for info in try store.branches() {
            try store.branch(info.id).setWindow(.zero, bytes: 0)
        }
        deleted = []
        past = []
        try store.setWindow(.zero, bytes: 0)
        return try store.reclaim()
    }
}
