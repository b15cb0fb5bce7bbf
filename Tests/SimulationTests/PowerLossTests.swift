import DiskIO
import Primitives
import Simulation
import Testing

@Suite struct PowerLossTests {
    /// Replaces a file the careful way.
    private func replace(_ disk: SimulatedDisk, with bytes: [UInt8]) throws(DiskError) {
        let file = try disk.create("new")
        try file.allocate(UInt64(bytes.count))
        try file.write(bytes, at: 0)
        try file.sync()
        try disk.rename("new", to: "file")
        try disk.syncFolder()
    }

    @Test func `power can go at every operation, and all after it throw`() throws {
        let whole = SimulatedDisk.holding(pattern(1, 2000), seed: 1)
        try replace(whole, with: pattern(2, 2000))
        #expect(whole.changeCount == 6)
        for count in 1...6 {
            let disk = SimulatedDisk.holding(pattern(1, 2000), seed: 1)
            disk.crashAfter(operations: count)
            let error = failure { () throws(DiskError) in
                try replace(disk, with: pattern(2, 2000))
            }
            #expect(error?.reason == "power lost")
            #expect(disk.changeCount == count)
            #expect(disk.hasLostPower)
            let later = failure { () throws(DiskError) in _ = try disk.open("file") }
            #expect(later?.reason == "power lost")
            #expect(!disk.crash().hasLostPower)
        }
    }

    @Test func `a careful replacement survives a loss of power anywhere`() throws {
        var renamed: [Int: Set<Bool>] = [:]
        for seed in 0..<200 as Range<UInt64> {
            for count in 1...7 {
                let disk = SimulatedDisk.holding(pattern(1, 2000), seed: seed)
                disk.crashAfter(operations: count)
                _ = failure { () throws(DiskError) in
                    try replace(disk, with: pattern(2, 2000))
                }
                let after = disk.crash(CrashModel(garbles: true)).bytes(of: "file")
                let isNew = after == pattern(2, 2000)
                #expect(isNew || after == pattern(1, 2000), "seed \(seed), operation \(count)")
                renamed[count, default: []].insert(isNew)
            }
        }
        #expect(renamed[4] == [false])
        #expect(renamed[5] == [true, false], "a rename at a loss of power is there or not")
        #expect(renamed[6] == [true, false], "and so is a synced folder")
        #expect(renamed[7] == [true])
    }

    @Test func `a careless replacement does not`() throws {
        var broken = 0
        for seed in 0..<200 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 2000), seed: seed)
            let file = try disk.create("new")
            try file.write(pattern(2, 2000), at: 0)
            try disk.rename("new", to: "file")
            try disk.syncFolder()
            let after = disk.crash().bytes(of: "file")
            if after != pattern(1, 2000) && after != pattern(2, 2000) { broken += 1 }
        }
        #expect(broken > 50)
    }

    @Test func `the write at which power goes is done in whole, in part or not`() throws {
        var outcomes: Set<Int> = []
        for seed in 0..<300 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 1024), seed: seed)
            let file = try disk.open("file")
            disk.crashAfter(operations: 1)
            _ = failure { () throws(DiskError) in try file.write(pattern(2, 1024), at: 0) }
            let after = try #require(disk.crash().bytes(of: "file"))
            outcomes.insert([0, 512].count { after[$0] == pattern(2, 1024)[$0] })
        }
        #expect(outcomes == [0, 1, 2])
    }

    @Test func `the sync at which power goes makes anything durable, or nothing`() throws {
        var outcomes: Set<Int> = []
        for seed in 0..<300 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 1024), seed: seed)
            let file = try disk.open("file")
            try file.write(pattern(2, 512), at: 0)
            try file.write(pattern(2, 1024), at: 512)
            disk.crashAfter(operations: 1)
            #expect(failure { () throws(DiskError) in try file.sync() }?.reason == "power lost")
            let after = try #require(disk.crash(CrashModel(tears: false)).bytes(of: "file"))
            outcomes.insert([0, 512].count { after[$0] == pattern(2, 1)[0] })
        }
        #expect(outcomes.isSuperset(of: [0, 1]))
    }

    @Test func `reading takes no step towards a loss of power`() throws {
        let disk = SimulatedDisk.holding([1], seed: 1)
        let file = try disk.open("file")
        disk.crashAfter(operations: 1)
        for _ in 0..<5 { _ = try file.read(1, at: 0) }
        _ = try disk.list()
        disk.crashAfter(operations: nil)
        try file.write([2], at: 0)
        #expect(!disk.hasLostPower)
    }

    @Test func `a restart ends a loss of power, come or still to come`() throws {
        for count in [1, 5] {
            let disk = SimulatedDisk(seed: 1)
            disk.crashAfter(operations: count)
            _ = failure { () throws(DiskError) in try disk.syncFolder() }
            let next = disk.crash()
            for _ in 0..<10 { try next.syncFolder() }
        }
    }

    @Test func `one lost power can be settled in many ways`() throws {
        let disk = SimulatedDisk.holding(pattern(1, 4096), seed: 1)
        let file = try disk.open("file")
        disk.crashAfter(operations: 2)
        try file.write(pattern(2, 4096), at: 0)
        _ = failure { () throws(DiskError) in try file.sync() }
        let outcomes = Set(
            (0..<200).map { seed in disk.snapshot(seed: seed).crash().bytes(of: "file") }
        )
        #expect(outcomes.count > 20)
        #expect(disk.hasLostPower)
    }
}
