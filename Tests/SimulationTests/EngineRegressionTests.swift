import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// What simulated runs found in the engine, each case by itself.
@Suite struct EngineRegressionTests {
    let table = ObjectID(1)

    static var options: StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.pageSize = 512
        options.segmentBits = 16
        options.cacheBytes = 64 << 10
        return options
    }

    func open(_ disk: SimulatedDisk, _ options: StoreOptions = options) throws -> Store {
        var random = SeededRandom(seed: UInt64(disk.changeCount) + 1)
        return try Store.open(
            disk,
            SimulatedClock(seed: 1),
            options,
            entropy: Entropy { random.next() }
        )
    }

    func page(_ byte: UInt8) -> [UInt8] { Array(repeating: byte, count: 512) }

    /// Bytes that do not compress.
    func noise(_ seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return (0..<512).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    @Test func `a page that a commit writes and then deletes is gone`() throws {
        let store = try open(SimulatedDisk(seed: 1))
        let main = try store.branch("main")
        try main.commit { try $0.write(page(1), page: 3, of: table) }
        try main.commit { edit in
            try edit.write(page(2), page: 3, of: table)
            try edit.delete(page: 3, of: table)
        }
        #expect(try main.read(page: 3, of: table) == page(0))
    }

    @Test func `a page that a commit writes twice does not hide the deletion of another`() throws {
        let store = try open(SimulatedDisk(seed: 1))
        let main = try store.branch("main")
        try main.commit { try $0.write(page(1), page: 4, of: table) }
        try main.commit { edit in
            for byte in 2...3 as ClosedRange<UInt8> {
                try edit.write(page(byte), page: 3, of: table)
            }
            try edit.delete(page: 4, of: table)
        }
        #expect(try main.read(page: 3, of: table) == page(3))
        #expect(try main.read(page: 4, of: table) == page(0))
    }

    @Test func `the spilled pages of a commit that is not made are no history`() throws {
        struct Refusal: Error {}
        let store = try open(SimulatedDisk(seed: 1))
        let main = try store.branch("main")
        try main.commit { try $0.write(page(1), page: 0, of: table) }
        #expect(throws: Refusal.self) {
            try main.commit { edit in
                for number in 0..<200 as Range<UInt64> {
                    try edit.write(noise(number), page: PageNumber(number), of: table)
                }
                throw Refusal()
            }
        }
        let last = try main.commit { try $0.write(page(2), page: 0, of: table) }
        #expect(try main.history().map(\.lsn).first == last.lsn)
        #expect(try main.history().count == 3)
        #expect(try main.history(from: .oldest).count == 3)
    }

    @Test func `deletions beside pages fit into a record`() throws {
        let store = try open(SimulatedDisk(seed: 1))
        let main = try store.branch("main")
        for deletions in stride(from: 0, to: 60, by: 3) {
            try main.commit { edit in
                for number in 0..<UInt64(deletions) {
                    try edit.delete(page: PageNumber(1000 + number), of: table)
                }
                for number in 0..<60 as Range<UInt64> {
                    try edit.write(noise(number), page: PageNumber(number), of: table)
                }
            }
        }
        #expect(try main.read(page: 59, of: table) == noise(59))
    }

    @Test func `a small cache does not keep a change from being made`() throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try open(disk)
        let main = try store.branch("main")
        for number in 0..<300 { try store.fork("branch-\(number)", from: main) }
        try store.checkpoint()
        disk.limit(operations: 200_000)
        for number in 0..<300 {
            try store.branch("branch-\(number)").rename(to: "renamed-\(number)")
        }
        #expect(!disk.isExhausted)
        #expect(try store.branches().count == 301)
    }

    @Test func `what a process left unsynced is durable once it was read`() throws {
        var disk = SimulatedDisk(seed: 1)
        var store = try open(disk)
        disk.inject(FaultRule(.failure, on: .sync, .nth(1), times: .max))
        #expect(throws: OxbowError.self) {
            try store.branch("main").commit { try $0.write(page(1), page: 0, of: table) }
        }
        disk.removeFaults()
        disk = disk.kill()
        store = try open(disk)
        try store.branch("main").commit { try $0.write(page(2), page: 1, of: table) }
        disk = disk.crash(CrashModel(.everythingLost))
        store = try open(disk)
        #expect(try store.branch("main").read(page: 1, of: table) == page(2))
    }

    @Test(arguments: 1...30)
    func `an opening that the disk fails takes no commit for a torn tail`(call: Int) throws {
        var disk = SimulatedDisk(seed: 1)
        for byte in 1...4 as ClosedRange<UInt8> {
            let store = try open(disk)
            try store.branch("main").commit { try $0.write(page(byte), page: 0, of: table) }
            disk = disk.crash()
        }
        disk.inject(FaultRule(.failure, on: .read, .nth(call)))
        if let store = try? open(disk) {
            disk.removeFaults()
            #expect(try store.branch("main").read(page: 0, of: table) == page(4))
        }
        disk.removeFaults()
        disk = disk.kill()
        let store = try open(disk)
        #expect(try store.branch("main").read(page: 0, of: table) == page(4))
    }

    @Test func `a branch that began at a snapshot outlives it`() throws {
        let store = try open(SimulatedDisk(seed: 1))
        let main = try store.branch("main")
        let first = try main.commit { try $0.write(page(1), page: 0, of: table) }
        try store.createSnapshot("kept", of: main.point(at: .head))
        try main.commit { try $0.write(page(2), page: 0, of: table) }
        let copy = try store.fork("copy", from: store.point(snapshot: "kept"))
        try store.deleteSnapshot("kept")
        #expect(try copy.info().origin == first.lsn)
        #expect(try copy.read(page: 0, of: table) == page(1))
        #expect(try copy.history().map(\.lsn).contains(first.lsn))
        let point = try copy.point(at: .lsn(first.lsn))
        #expect(try copy.view(at: point).read(page: 0, of: table) == page(1))
    }

    @Test func `a closing index that a crash tore does not stay`() throws {
        var disk = SimulatedDisk(seed: 1)
        var store = try open(disk)
        let main = try store.branch("main")
        for round in 0..<6 as Range<UInt64> {
            try main.commit { edit in
                for number in 0..<40 as Range<UInt64> {
                    try edit.write(noise(round * 40 + number), page: PageNumber(number), of: table)
                }
            }
        }
        disk.inject(FaultRule(.failure, on: .sync, .nth(2), times: .max))
        _ = try? store.step()
        disk.removeFaults()
        disk = disk.crash(CrashModel(.everythingLost))
        disk.removeFaults()
        store = try open(disk)
        try store.checkpoint()
        disk = disk.crash()
        store = try open(disk)
        #expect(try store.check().problems == [])
    }
}
