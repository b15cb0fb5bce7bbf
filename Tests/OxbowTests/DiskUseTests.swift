import Oxbow
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
}
