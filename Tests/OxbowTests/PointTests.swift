import DiskIO
import Oxbow
import TestSupport
import Testing

/// Look-ups of points in sealed segments, whose indexes are read in parts.
@Suite struct PointTests {
    struct Made {
        let branch: Int
        let commit: Commit
    }

    static func options() -> StoreOptions {
        var options = StoreOptions()
        options.pageSize = 512
        options.segmentBits = 17
        options.cacheBytes = 1 << 20
        options.upkeep = .manual
        return options
    }

    static func open(_ disk: MemoryDisk, _ options: StoreOptions = options()) throws -> Store {
        var random = SeededRandom(test: 71)

        return try Store.open(disk, SystemClock(), options, entropy: Entropy { random.next() })
    }

    /// Commits on three branches by turns of random length, over many segments.
    static func fill(_ store: Store, _ count: Int) throws -> [Made] {
        var random = SeededRandom(test: 72)
        let main = try store.branch("main")
        let branches = [main, try store.fork("a", from: main), try store.fork("b", from: main)]
        let page = [UInt8](repeating: 7, count: store.pageSize)
        var branch = 0
        return try (0..<count).map { index in
            if random.oneIn(20) { branch = random.below(3) }
            let number = PageNumber(UInt64(random.below(50)))
            let commit = try branches[branch].commit(.buffered) {
                try $0.write(page, page: number, of: ObjectID(1))
            }
            if index % 100 == 99 { try store.step() }
            return Made(branch: branch, commit: commit)
        }
    }

    @Test func `each moment of a long history is found, and the one after it`() throws {
        let disk = MemoryDisk(limit: 256 << 20)
        let made: [Made]
        do {
            let store = try Self.open(disk)
            made = try Self.fill(store, 6_000)
            try store.close()
        }
        let store = try Self.open(disk)
        for (index, name) in ["main", "a", "b"].enumerated() {
            let branch = try store.branch(name)
            let own = made.filter { $0.branch == index }.map(\.commit)
            for (place, commit) in own.enumerated() where place % 7 == 0 || place + 3 > own.count {
                for moment in [Moment.time(commit.time), .lsn(commit.lsn)] {
                    let point = try branch.point(at: moment)
                    #expect(point.lsn == commit.lsn && point.time == commit.time)
                    #expect(point.next?.lsn == (place + 1 < own.count ? own[place + 1].lsn : nil))
                }
            }
        }
    }

    @Test(arguments: [0, 4_096, 16_384])
    func `zeros ahead of the log change nothing that is read`(zeroAheadBytes: Int) throws {
        let disk = MemoryDisk(limit: 256 << 20)
        var options = Self.options()
        options.zeroAheadBytes = zeroAheadBytes
        let made: [Made]
        do {
            let store = try Self.open(disk, options)
            made = try Self.fill(store, 3_000)
            try store.sync()
            // Not closed: opened anew as after a crash.
            let copy = MemoryDisk(limit: 256 << 20)
            for name in try disk.list() {
                let file = try disk.open(name)
                let bytes = try file.read(Int(try file.length()), at: 0)
                try copy.create(name).write(bytes, at: 0)
            }
            let again = try Self.open(copy, options)
            #expect(try again.branch("a").history(limit: 10_000).count > 900)
            let last = try #require(made.last)
            let name = ["main", "a", "b"][last.branch]
            #expect(try again.branch(name).point(at: .head).lsn == last.commit.lsn)
            try again.close()
            try store.close()
        }
        let store = try Self.open(disk, options)
        #expect(try store.check().problems.isEmpty)
    }
}
