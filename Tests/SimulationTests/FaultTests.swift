import DiskIO
import Primitives
import Simulation
import Testing

@Suite struct FaultTests {
    let disk = SimulatedDisk.holding(pattern(1, 4096), seed: 3)

    @Test func `the n-th operation fails, once`() throws {
        let file = try disk.open("file")
        disk.inject(FaultRule(.failure, on: .read, .nth(3)))
        let results = (0..<6).map { _ in
            failure { () throws(DiskError) in _ = try file.read(1, at: 0) }
        }
        #expect(results.map { $0 == nil } == [true, true, false, true, true, true])
        #expect(results[2]?.reason == "input/output error")
        #expect(results[2]?.description.hasPrefix("read simulated/file at 0") == true)
    }

    @Test func `from the n-th on, for ever`() throws {
        let file = try disk.open("file")
        disk.inject(FaultRule(.failure, on: .write, .nth(2), times: .max))
        let results = (0..<5).map { _ in
            failure { () throws(DiskError) in try file.write([1], at: 0) } == nil
        }
        #expect(results == [true, false, false, false, false])
        disk.removeFaults()
        try file.write([1], at: 0)
    }

    @Test func `once in so many draws, so many times`() throws {
        let file = try disk.open("file")
        disk.inject(FaultRule(.failure, on: .read, .oneIn(4), times: .max))
        let failures = (0..<4000).count { _ in
            failure { () throws(DiskError) in _ = try file.read(1, at: 0) } != nil
        }
        #expect((850...1150).contains(failures))
        #expect(disk.counters[.read, .failure] == failures)
        disk.removeFaults()
        disk.inject(FaultRule(.failure, on: .read, .oneIn(4), times: 5))
        let few = (0..<400).count { _ in
            failure { () throws(DiskError) in _ = try file.read(1, at: 0) } != nil
        }
        #expect(few == 5)
    }

    @Test func `a rule for one file leaves the others alone`() throws {
        disk.plant([1], as: "other")
        disk.inject(FaultRule(.failure, on: .read, of: "other", .nth(1), times: .max))
        _ = try disk.open("file").read(1, at: 0)
        let other = try disk.open("other")
        #expect(failure { () throws(DiskError) in _ = try other.read(1, at: 0) } != nil)
        try disk.rename("other", to: "third")
        _ = try other.read(1, at: 0)
    }

    @Test func `a failed write may have done a part from its start`() throws {
        var parts: Set<Int> = []
        for _ in 0..<200 {
            disk.plant(pattern(1, 10), as: "small")
            let file = try disk.open("small")
            disk.inject(FaultRule(.failure, on: .write, .nth(1)))
            #expect(
                failure { () throws(DiskError) in try file.write(pattern(2, 10), at: 0) } != nil
            )
            disk.removeFaults()
            let after = try file.read(10, at: 0)
            let done = after.prefix { $0 % 8 == 2 }.count
            #expect(after == Array(pattern(2, 10)[..<done] + pattern(1, 10)[done...]))
            parts.insert(done)
        }
        #expect(parts == Set(0...10))
    }

    @Test func `what a failed sync left undone no later sync does`() throws {
        var kept: Set<Int> = []
        for seed in 0..<100 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 4 * 512), seed: seed)
            let file = try disk.open("file")
            for sector in 0..<4 { try file.write(pattern(2, 512), at: UInt64(sector * 512)) }
            disk.inject(FaultRule(.failure, on: .sync, .nth(1)))
            #expect(failure { () throws(DiskError) in try file.sync() } != nil)
            let durable = disk.durableBytes(of: "file")
            try file.sync()
            #expect(disk.durableBytes(of: "file") == durable, "a later sync mended a failed one")
            #expect(try file.read(512, at: 0) == pattern(2, 512), "reading does not show it")
            try file.write([9], at: 0)
            try file.sync()
            let after = try #require(disk.crash().bytes(of: "file"))
            #expect(after[0] == 9)
            #expect(after[1...] == durable?[1...])
            kept.insert((0..<4).count { after[$0 * 512 + 1] == pattern(2, 2)[1] })
        }
        #expect(kept == [0, 1, 2, 3, 4])
    }

    @Test func `a failed folder sync may keep any of the names`() throws {
        var outcomes: Set<[String]> = []
        for seed in 0..<100 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            for name in ["a", "b"] { _ = try disk.create(name) }
            disk.inject(FaultRule(.failure, on: .syncFolder, .nth(1)))
            #expect(failure { () throws(DiskError) in try disk.syncFolder() } != nil)
            try disk.syncFolder()
            #expect(disk.names == ["a", "b"])
            outcomes.insert(disk.crash().names)
        }
        #expect(outcomes == [[], ["a"], ["b"], ["a", "b"]])
    }

    @Test(arguments: [DiskOperation.create, .rename, .remove, .truncate, .allocate])
    func `what fails may have been done all the same`(operation: DiskOperation) throws {
        var outcomes: Set<Bool> = []
        for seed in 0..<40 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 100), seed: seed)
            let file = try disk.open("file")
            disk.inject(FaultRule(.failure, on: operation, .nth(1)))
            let error = failure { () throws(DiskError) in
                switch operation {
                case .create: _ = try disk.create("new")
                case .rename: try disk.rename("file", to: "new")
                case .remove: try disk.remove("file")
                case .truncate: try file.truncate(to: 1)
                default: try file.allocate(200)
                }
            }
            #expect(error?.reason == "input/output error")
            outcomes.insert(disk.names != ["file"] || disk.length(of: "file") != 100)
        }
        #expect(outcomes == [true, false])
    }

    @Test(arguments: [DiskOperation.open, .list, .read])
    func `what only looks can fail too`(operation: DiskOperation) throws {
        let file = try disk.open("file")
        disk.inject(FaultRule(.failure, on: operation, .nth(1)))
        let error = failure { () throws(DiskError) in
            switch operation {
            case .open: _ = try disk.open("file")
            case .list: _ = try disk.list()
            default: _ = try file.read(1, at: 0)
            }
        }
        #expect(error?.reason == "input/output error")
    }

    @Test func `a full disk takes what fits, and more when there is space again`() throws {
        let disk = SimulatedDisk(seed: 1, capacity: 2 * 4096)
        let file = try disk.create("file")
        let error = failure { () throws(DiskError) in try file.write(pattern(1, 10_000), at: 0) }
        #expect(error == .full(operation: "write simulated/file at 0"))
        #expect(try file.length() == 8192)
        #expect(try disk.availableBytes() == 0)
        #expect(try disk.totalBytes() == 8192)
        try file.write(pattern(2, 8192), at: 0)
        #expect(failure { () throws(DiskError) in try file.allocate(8193) } != nil)
        disk.capacity = 3 * 4096
        #expect(try disk.availableBytes() == 4096)
        try file.write(pattern(3, 4096), at: 8192)
        disk.capacity = 4096
        #expect(try disk.availableBytes() == 0)
        #expect(disk.counters.total(.full) == 2)
    }

    @Test func `writing into allocated space never runs out of it`() throws {
        let disk = SimulatedDisk(seed: 1, capacity: 4 * 4096)
        let file = try disk.create("file")
        try file.allocate(3 * 4096)
        try disk.create("other").write(pattern(1, 4096), at: 0)
        #expect(try disk.availableBytes() == 0)
        try file.write(pattern(1, 3 * 4096), at: 0)
        #expect(disk.counters.total(.full) == 0)
    }

    @Test func `a disk can say that it is full when it is not`() throws {
        let file = try disk.open("file")
        disk.inject(FaultRule(.full, on: .write, .nth(1)))
        let error = failure { () throws(DiskError) in try file.write([1], at: 0) }
        #expect(error == .full(operation: "write simulated/file at 0"))
    }

    @Test func `rules go on after a crash`() throws {
        disk.inject(FaultRule(.failure, on: .read, .nth(2)))
        let next = disk.crash()
        let file = try next.open("file")
        _ = try file.read(1, at: 0)
        #expect(failure { () throws(DiskError) in _ = try file.read(1, at: 0) } != nil)
    }

    @Test func `a rule that could never strike is a mistake`() async {
        await #expect(processExitsWith: .failure) {
            _ = FaultRule(.staleRead, on: .write, .nth(1))
        }
    }
}
