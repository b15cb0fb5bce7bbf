import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// A full disk is an answer, not a failure: room can always be made.
@Suite struct FullDiskTests {
    @Test func `on a full disk branches can be deleted and their space reclaimed`() throws {
        let disk = SimulatedDisk(seed: 4, capacity: 4 << 20)
        let clock = SimulatedClock(seed: 4)
        var store = try TestStore.open(disk, clock)
        try store.setWindow(.zero, bytes: 0)
        let main = try store.branch("main")
        try main.write([1: 1], .synced)
        var count = 0
        var refusal: OxbowError.Kind?
        while refusal == nil, count < 200 {
            let branch = try? store.fork("b\(count)", from: main)
            let pages = (0..<40).map { ($0 + 10, count * 100 + $0 + 1) }
            refusal = kind {
                try branch?.write(Dictionary(uniqueKeysWithValues: pages), .synced)
            }
            count += 1
            if count % 8 == 0 { refusal = refusal ?? kind { try store.step() } }
        }
        #expect(refusal == .full)
        #expect(try main.difference(from: [1: 1]) == nil)
        for index in 0..<count - 10 {
            if let branch = try? store.branch("b\(index)") { try branch.delete() }
        }
        try store.checkpoint()
        // The first pass lets go of the branches, the second of the checkpoints that showed them.
        let freed = try store.reclaim().freedBytes + store.reclaim().freedBytes
        #expect(freed > 1 << 20)
        try main.write([1: 2], .synced)
        try store.close()
        store = try TestStore.open(disk.kill(), clock)
        #expect(try store.branch("main").difference(from: [1: 2]) == nil)
        #expect(try store.check().problems == [])
    }

    @Test(arguments: [1, 2, 4, 16], [StoreOptions.Upkeep.manual, .automatic])
    func `what the only branch of a full store holds can be deleted, again and again`(
        megabytes: Int,
        upkeep: StoreOptions.Upkeep
    ) throws {
        var options = StoreOptions()
        options.upkeep = upkeep
        options.pageSize = megabytes == 2 ? 512 : 8192
        options.window = .zero
        options.windowBytes = 0
        let store = try Store.temporary(limit: megabytes << 20, options)
        let main = try store.branch("main")
        var random = SeededRandom(seed: UInt64(megabytes))
        // Nothing that LZ4 makes smaller.
        let bytes = (0..<options.pageSize).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        func write(_ page: Int) throws {
            try main.commit(.buffered) {
                try $0.write(bytes, page: PageNumber(UInt64(page)), of: ObjectID(1))
            }
        }
        for _ in 0..<4 {
            // Until a pass finds no more room.
            var page = 0
            while true {
                if kind(of: { try write(page) }) == .full {
                    try store.reclaim()
                    guard kind(of: { try write(page) }) == nil else { break }
                }
                page += 1
            }
            #expect(page * options.pageSize > megabytes << 19)
            // Trying again and again takes nothing of what deleting needs.
            for _ in 0..<40 { #expect(kind { try write(page) } == .full) }
            try main.commit { try $0.delete(page: 0, of: ObjectID(1)) }
            try main.commit { try $0.delete(object: ObjectID(1)) }
            var passes = 0
            while kind(of: { try write(0) }) != nil, passes < 4 {
                try store.reclaim()
                passes += 1
            }
            #expect(passes < 4)
        }
        #expect(try store.check().problems == [])
    }

    /// A store that was written to until the disk was full.
    private func filled(_ disk: SimulatedDisk, _ clock: SimulatedClock) throws -> Store {
        let store = try TestStore.open(disk, clock)
        try store.setWindow(.seconds(1 << 30), bytes: 1 << 40)
        let main = try store.branch("main")
        try store.fork("old", from: main)
        var content = 0
        while kind(of: { try main.write(Self.batch(content), .synced) }) != .full {
            content += 1
            if content % 20 == 0 { try store.step() }
            try #require(content < 2000)
        }
        return store
    }

    private static func batch(_ content: Int) -> [Int: Int] {
        Dictionary(uniqueKeysWithValues: (0..<20).map { ($0, content * 20 + $0 + 1) })
    }

    @Test func `a full disk that is written to again and again keeps room to make room`() throws {
        let disk = SimulatedDisk(seed: 6, capacity: 4 << 20)
        let clock = SimulatedClock(seed: 6)
        var store = try filled(disk, clock)
        var free: [UInt64] = []
        for round in 0..<400 {
            // What is small may fit where what is large does not.
            let pages = round % 3 == 0 ? [1: round + 1] : Self.batch(round)
            _ = kind { try store.branch("main").write(pages) }
            while try store.step() {}
            clock.advance(by: .milliseconds(100))
            free.append(try disk.availableBytes())
        }
        #expect(free[100] == free[399])
        #expect(kind { try store.branch("main").write(Self.batch(1)) } == .full)
        for _ in 0..<20 { try store.reclaim() }
        #expect(try disk.availableBytes() >= free[399])
        try store.close()
        store = try TestStore.open(disk.kill(), clock)
        try store.branch("old").delete()
        try store.setWindow(.zero, bytes: 0)
        for _ in 0..<2 { try store.reclaim() }
        try store.branch("main").write(Self.batch(1), .synced)
        #expect(try store.branch("main").difference(from: Self.batch(1)) == nil)
        #expect(try store.check().problems == [])
    }

    @Test func `a full store is opened again and again, and eats nothing by that`() throws {
        var disk = SimulatedDisk(seed: 8, capacity: 4 << 20)
        let clock = SimulatedClock(seed: 8)
        var store = try filled(disk, clock)
        var free: [UInt64] = []
        for round in 0..<30 {
            if round % 2 == 0 { try store.close() }
            disk = round % 2 == 0 ? disk.kill() : disk.crash(CrashModel(.everythingLost))
            store = try TestStore.open(disk, clock)
            _ = kind { try store.branch("main").write([1: round + 1], .synced) }
            while try store.step() {}
            if round % 3 == 0 { try store.reclaim() }
            free.append(try disk.availableBytes())
        }
        #expect(try #require(free.last) > 1 << 16)
        try store.setWindow(.zero, bytes: 0)
        for _ in 0..<2 { try store.reclaim() }
        try store.branch("main").write([1: 5], .synced)
        #expect(try store.check().problems == [])
    }

    @Test func `a store opens where there is no room for a segment`() throws {
        let disk = SimulatedDisk(seed: 7, capacity: 4 << 20)
        let clock = SimulatedClock(seed: 7)
        var store = try TestStore.open(disk, clock)
        let main = try store.branch("main")
        try store.fork("old", from: main)
        try main.write([1: 1, 2: 2], .synced)
        try store.close()
        let left = disk.kill()
        try left.create("other").allocate(left.availableBytes() - 40_000)
        store = try TestStore.open(left, clock)
        let again = try store.branch("main")
        #expect(try again.difference(from: [1: 1, 2: 2]) == nil)
        #expect(kind { try again.write([1: 3]) } == .full)
        try store.branch("old").delete()
        try store.setWindow(.zero, bytes: 0)
        try store.sync()
        let crashed = left.crash(CrashModel(.everythingLost))
        store = try TestStore.open(crashed, clock)
        #expect(try store.branches().map(\.name) == ["main"])
        try crashed.remove("other")
        try store.branch("main").write([1: 3], .synced)
        #expect(try store.branch("main").difference(from: [1: 3, 2: 2]) == nil)
        #expect(try store.check().problems == [])
    }
}
