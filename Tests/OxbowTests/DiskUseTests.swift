import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// After deletes and a pass, the store takes at most 1.1 times what is live, and one segment.
@Suite struct DiskUseTests {
    static let table = ObjectID(1)

    /// Bytes for a page: any, or some that compress to a hundred.
    static func page(_ random: inout SeededRandom, size: Int, isPlain: Bool) -> [UInt8] {
        if isPlain {
            return [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: size)
        }
        return (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// The fixed part: the superblock, and what is rounded up to blocks of the disk.
    static let fixed: UInt64 = 3 * 8192

    @Test(arguments: [16, 18, 20], [false, true])
    func `a pass leaves little more than is live`(bits: Int, isPlain: Bool) throws {
        var options = ReclaimTests.options()
        options.segmentBits = bits
        options.checkpointChanges = 4096
        for seed in 0..<6 {
            var random = SeededRandom(seed: UInt64(100 * bits + seed))
            let store = try Store.temporary(limit: 256 << 20, options)
            let main = try store.branch("main")
            let pages = (isPlain ? 40_000 : 4000) >> (seed % 3)
            for start in stride(from: 0, to: pages, by: 50) {
                try main.commit(.buffered) { edit in
                    for page in start..<start + 50 {
                        try edit.write(
                            Self.page(&random, size: 1024, isPlain: isPlain),
                            page: PageNumber(UInt64(page)),
                            of: Self.table
                        )
                    }
                }
                try store.step()
            }
            // One in two, in ten, in a hundred, or none is kept.
            let kept = [2, 10, 100, .max][seed % 4]
            for start in stride(from: 0, to: pages, by: 500) {
                try main.commit(.buffered) { edit in
                    for page in start..<min(start + 500, pages) where page % kept != 1 {
                        try edit.delete(page: PageNumber(UInt64(page)), of: Self.table)
                    }
                }
                try store.step()
            }
            try store.setWindow(.zero, bytes: 0)
            try store.reclaim()
            let usage = try store.usage()
            let bound = 1.1 * Double(usage.liveBytes) + Double(1 << bits) + Double(Self.fixed)
            #expect(Double(usage.diskBytes) <= bound, "seed \(seed): \(usage)")
            #expect(try store.check().isSound)
        }
    }

    private static func open(_ disk: any Disk, bits: Int) throws -> Store {
        var options = ReclaimTests.options()
        options.segmentBits = bits
        options.createIfMissing = true
        var random = SeededRandom(seed: 1)
        let clock = SimulatedClock(seed: 1)
        return try Store.open(disk, clock, options, entropy: Entropy { random.next() })
    }

    private static func fill(_ branch: Branch, bytes: Int) throws {
        for round in 0..<bytes / 50_000 {
            try branch.commit(.buffered) { edit in
                for page in round * 50..<round * 50 + 50 {
                    let number = PageNumber(UInt64(page))
                    try edit.write(ReclaimTests.page(page), page: number, of: table)
                }
            }
        }
    }

    @Test(arguments: [16, 18, 20])
    func `a deleted branch is given back by the first pass, and one after reopening`(
        bits: Int
    )
        throws
    {
        let disk = MemoryDisk(limit: 64 << 20)
        var store = try Self.open(disk, bits: bits)
        try store.setWindow(.zero, bytes: 0)
        let branch = try store.fork("one", from: store.branch("main"))
        try Self.fill(branch, bytes: 4 << 20)
        try branch.delete()
        try store.reclaim()
        let bound = UInt64(1 << bits) + Self.fixed
        #expect(try store.usage().diskBytes <= bound)
        let second = try store.fork("two", from: store.branch("main"))
        try Self.fill(second, bytes: (1 << bits) / 2)
        try second.delete()
        try store.close()
        store = try Self.open(disk, bits: bits)
        try store.reclaim()
        #expect(try store.usage().diskBytes <= bound)
        #expect(try store.check().isSound)
    }

    @Test func `where several segments as one have no room, they go one by one`() throws {
        let disk = MemoryDisk(limit: 8 << 20)
        let store = try Self.open(disk, bits: 17)
        try store.setWindow(.zero, bytes: 0)
        for index in 0..<6 { try store.fork("b\(index)", from: store.branch("main")) }
        var refusal: OxbowError?
        var page = 0
        while refusal == nil {
            let number = PageNumber(UInt64(page))
            do {
                try store.branch("b\(page % 6)").commit(.buffered) { edit in
                    try edit.write(ReclaimTests.page(page), page: number, of: Self.table)
                }
                page += 1
                if page % 64 == 0 { try store.step() }
            } catch { refusal = error as? OxbowError }
        }
        #expect(refusal?.kind == .full)
        // A sixth of each segment is let go of by each.
        for index in 0..<3 {
            try store.branch("b\(index)").delete()
            let report = try store.reclaim()
            #expect(report.freedBytes > 512 << 10, "\(report)")
        }
        try store.branch("b5").commit { edit in
            try edit.write(ReclaimTests.page(1), page: 0, of: Self.table)
        }
        #expect(try store.check().isSound)
    }

    @Test func `who asks what a store uses leaves it as it is`() throws {
        let store = try Self.open(MemoryDisk(limit: 8 << 20), bits: 18)
        try Self.fill(store.branch("main"), bytes: 1 << 18)
        let before = try store.usage()
        let durable = store.durableLSN
        for _ in 0..<10 { #expect(try store.usage() == before) }
        #expect(store.durableLSN == durable)
        #expect(before.historyBytes < 1 << 18)
    }
}
