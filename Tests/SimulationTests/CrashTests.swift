import DiskIO
import Primitives
import Simulation
import Testing

@Suite struct CrashTests {
    @Test(arguments: [true, false])
    func `what was synced survives every crash, whatever was written since`(garbles: Bool) throws {
        for seed in 0..<300 as Range<UInt64> {
            let synced = pattern(1, 20_000)
            let disk = SimulatedDisk.holding([], seed: seed)
            let file = try disk.open("file")
            try file.write(synced, at: 0)
            try file.sync()
            // Not on sectors, so that a torn or garbled sector has synced neighbours.
            try file.write(pattern(2, 3000), at: 20_001)
            try file.write(pattern(3, 100), at: 300)
            let next = disk.crash(CrashModel(garbles: garbles))
            let after = try #require(next.bytes(of: "file"))
            #expect(after.count >= 20_000)
            #expect(after[..<300] == synced[..<300])
            #expect(after[400..<20_000] == synced[400...])
        }
    }

    @Test func `each sector of an unsynced write is old or new`() throws {
        var seen: Set<[UInt8]> = []
        for seed in 0..<4000 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 1536), seed: seed)
            let file = try disk.open("file")
            try file.write(pattern(2, 1536), at: 0)
            let after = try #require(disk.crash().bytes(of: "file"))
            let tags = (0..<3).map { sector -> UInt8 in
                let bytes = after[sector * 512..<(sector + 1) * 512]
                for tag in [1, 2] as [UInt8] where bytes.elementsEqual(slice(tag, sector)) {
                    return tag
                }
                return 0
            }
            #expect(!tags.contains(0), "seed \(seed)")
            seen.insert(tags)
        }
        #expect(seen.count == 8, "not every subset of the sectors was seen")
    }

    private func slice(_ tag: UInt8, _ sector: Int) -> ArraySlice<UInt8> {
        pattern(tag, 1536)[sector * 512..<(sector + 1) * 512]
    }

    @Test func `a write that is not torn is whole`() throws {
        for seed in 0..<300 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 5000), seed: seed)
            try disk.open("file").write(pattern(2, 5000), at: 0)
            let next = disk.crash(CrashModel(tears: false))
            let after = next.bytes(of: "file")
            #expect(after == pattern(1, 5000) || after == pattern(2, 5000))
            #expect(next.counters.total(.torn) == 0)
        }
    }

    @Test func `garbage comes only where asked for, and only in what was being written`() throws {
        var garbled = 0
        for seed in 0..<300 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 2048), seed: seed)
            try disk.open("file").write(pattern(2, 1000), at: 100)
            let next = disk.crash(CrashModel(garbles: true))
            let after = try #require(next.bytes(of: "file"))
            #expect(after[..<100] == pattern(1, 2048)[..<100])
            #expect(after[1100...] == pattern(1, 2048)[1100...])
            for event in next.events where event.fault == .garbled {
                garbled += 1
                #expect(event.range.clamped(to: 100..<1100) == event.range)
                #expect(after[event.range] != pattern(1, 2048)[event.range])
            }
        }
        #expect(garbled > 30)
    }

    @Test func `overlapping unsynced writes may come in any order`() throws {
        var last: Set<UInt8> = []
        for seed in 0..<500 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 512), seed: seed)
            let file = try disk.open("file")
            for tag in [2, 3, 4] as [UInt8] { try file.write(pattern(tag, 512), at: 0) }
            let ordered = disk.snapshot().crash(CrashModel(.everythingKept))
            #expect(ordered.bytes(of: "file") == pattern(4, 512))
            last.insert(try #require(disk.crash().bytes(of: "file")?.first))
        }
        #expect(last == [1, 2, 3, 4])
    }

    @Test func `each unsynced write is kept or lost on its own`() throws {
        var subsets: Set<[Bool]> = []
        for seed in 0..<2000 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 4 * 512), seed: seed)
            let file = try disk.open("file")
            for sector in 0..<4 { try file.write(pattern(2, 512), at: UInt64(sector * 512)) }
            let after = try #require(disk.crash(CrashModel(tears: false)).bytes(of: "file"))
            subsets.insert((0..<4).map { after[$0 * 512] == pattern(2, 1)[0] })
        }
        #expect(subsets.count == 16)
    }

    @Test func `an unsynced length may be lost, or be there without its bytes`() throws {
        var lengths: Set<Int> = []
        var holes = 0
        for seed in 0..<300 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 512), seed: seed)
            try disk.open("file").write(pattern(2, 1024), at: 512)
            let whole = disk.snapshot().crash(CrashModel(tears: false))
            if whole.bytes(of: "file") == pattern(1, 512) + [UInt8](repeating: 0, count: 1024) {
                holes += 1
            }
            let after = try #require(disk.crash().bytes(of: "file"))
            lengths.insert(after.count)
        }
        #expect(lengths == [512, 1024, 1536])
        #expect(holes > 0)
    }

    @Test func `an unsynced truncation or allocation is kept or lost`() throws {
        var lengths: Set<Int> = []
        for seed in 0..<200 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 1000), seed: seed)
            let file = try disk.open("file")
            try file.truncate(to: 10)
            try file.allocate(2000)
            lengths.insert(try #require(disk.crash().length(of: "file")))
        }
        #expect(lengths == [1000, 10, 2000])
    }

    @Test func `one file can lose all and another nothing`() throws {
        var outcomes: Set<[Int]> = []
        for seed in 0..<400 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            for name in ["a", "b"] {
                disk.plant([], as: name)
                let file = try disk.open(name)
                for write in 0..<20 { try file.write([1], at: UInt64(write)) }
            }
            let next = disk.crash(CrashModel(tears: false))
            outcomes.insert(
                ["a", "b"].map { next.bytes(of: $0)?.reduce(0) { $0 + Int($1) } ?? 0 }
            )
        }
        #expect(outcomes.isSuperset(of: [[0, 20], [20, 0], [0, 0], [20, 20]]))
    }

    @Test func `a process that ends loses nothing, but nothing became durable`() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.create("file").write([1, 2, 3], at: 0)
        disk.crashAfter(operations: 1)
        let next = disk.kill()
        try next.syncFolder()
        #expect(try next.open("file").read(3, at: 0) == [1, 2, 3])
        #expect(next.crash(CrashModel(.everythingLost)).bytes(of: "file") == [])
    }

    @Test func `handles of an earlier life throw and change nothing`() throws {
        let disk = SimulatedDisk.holding([1], seed: 1)
        let file = try disk.open("file")
        let next = disk.crash()
        let calls: [DiskError?] = [
            failure { () throws(DiskError) in try file.write([2], at: 0) },
            failure { () throws(DiskError) in _ = try file.read(1, at: 0) },
            failure { () throws(DiskError) in try file.sync() },
            failure { () throws(DiskError) in _ = try file.length() },
            failure { () throws(DiskError) in try disk.remove("file") },
            failure { () throws(DiskError) in _ = try disk.list() },
            failure { () throws(DiskError) in _ = try disk.availableBytes() },
        ]
        #expect(calls.allSatisfy { $0?.reason == "power lost" })
        #expect(next.bytes(of: "file") == [1])
    }
}
