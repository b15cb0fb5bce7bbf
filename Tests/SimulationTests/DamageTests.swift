import DiskIO
import Primitives
import Simulation
import Testing

@Suite struct DamageTests {
    @Test func `rot flips one bit of what is synced, and says where`() throws {
        for seed in 0..<100 as Range<UInt64> {
            let old = pattern(1, 9000)
            let disk = SimulatedDisk.holding(old, seed: seed)
            let event = try #require(disk.rot().first)
            #expect(event.file == "file" && event.fault == .rot && event.range.count == 1)
            let after = try #require(disk.bytes(of: "file"))
            let changed = old.indices.filter { old[$0] != after[$0] }
            #expect(changed == [event.range.lowerBound])
            #expect(changed.allSatisfy { (old[$0] ^ after[$0]).nonzeroBitCount == 1 })
            #expect(disk.durableBytes(of: "file") == after)
            #expect(disk.events == [event])
        }
    }

    @Test func `rot strikes the file that it is told to, in any of its sectors`() throws {
        let disk = SimulatedDisk.holding(pattern(1, 4 * 512), seed: 5)
        disk.plant(pattern(1, 512), as: "other")
        let events = disk.rot(in: "file", count: 200)
        #expect(events.count == 200)
        #expect(Set(events.map(\.file)) == ["file"])
        #expect(Set(events.map { $0.range.lowerBound / 512 }) == [0, 1, 2, 3])
        #expect(Set((0..<50).flatMap { _ in disk.rot() }.map(\.file)) == ["file", "other"])
        #expect(disk.rot(in: "none").isEmpty)
    }

    @Test func `rot leaves alone what is not synced`() throws {
        let disk = SimulatedDisk.holding(pattern(1, 4 * 512), seed: 5)
        try disk.open("file").write(pattern(2, 3 * 512), at: 0)
        let events = disk.rot(count: 50)
        #expect(!events.isEmpty && events.allSatisfy { $0.range.lowerBound >= 3 * 512 })
    }

    @Test func `a lost write is confirmed and not there`() throws {
        let disk = SimulatedDisk.holding(pattern(1, 2000), seed: 1)
        let file = try disk.open("file")
        disk.inject(FaultRule(.lostWrite, on: .write, .nth(2)))
        try file.write(pattern(2, 100), at: 0)
        try file.write(pattern(2, 1000), at: 1500)
        try file.sync()
        let expected =
            pattern(2, 100) + pattern(1, 2000)[100...] + Array(repeating: 0, count: 500)
        #expect(disk.bytes(of: "file") == expected)
        #expect(disk.events.map(\.fault) == [.lostWrite])
        #expect(disk.events.first?.range == 1500..<2500)
        #expect(disk.crash(CrashModel(.everythingLost)).bytes(of: "file") == expected)
    }

    @Test func `a misdirected write lands on a sector of some file, and says which`() throws {
        var targets: Set<String> = []
        for seed in 0..<100 as Range<UInt64> {
            let disk = SimulatedDisk.holding(pattern(1, 4096), as: "a", seed: seed)
            disk.plant(pattern(1, 4096), as: "b")
            let file = try disk.open("a")
            disk.inject(FaultRule(.misdirectedWrite, on: .write, .nth(1)))
            try file.write(pattern(2, 700), at: 512)
            try file.sync()
            guard disk.counters.total(.misdirectedWrite) > 0 else { continue }
            let source = try #require(disk.events.first)
            let target = try #require(disk.events.last)
            targets.insert(target.file)
            #expect(source.file == "a" && source.range == 512..<1212)
            #expect(target.range.lowerBound % 512 == 0 && disk.events.count == 2)
            var expected = ["a": pattern(1, 4096), "b": pattern(1, 4096)]
            expected[target.file]?.replaceSubrange(
                target.range,
                with: pattern(2, 700).prefix(target.range.count)
            )
            for name in ["a", "b"] { #expect(disk.bytes(of: name) == expected[name]) }
            let next = disk.crash(CrashModel(.everythingLost))
            for name in ["a", "b"] { #expect(next.bytes(of: name) == expected[name]) }
        }
        #expect(targets == ["a", "b"])
    }

    @Test func `a misdirected write still makes its file as long as it should`() throws {
        let disk = SimulatedDisk.holding(pattern(1, 512), seed: 1)
        disk.inject(FaultRule(.misdirectedWrite, on: .write, .nth(1)))
        try disk.open("file").write(pattern(2, 512), at: 512)
        #expect(disk.counters.total(.misdirectedWrite) == 1)
        #expect(disk.bytes(of: "file") == pattern(2, 512) + [UInt8](repeating: 0, count: 512))
    }

    @Test func `a stale read brings what was there before, and says so`() throws {
        let disk = SimulatedDisk.holding(pattern(1, 4096), seed: 1)
        let file = try disk.open("file")
        disk.inject(FaultRule(.staleRead, on: .read, .nth(1)))
        #expect(try file.read(4096, at: 0) == pattern(1, 4096))
        #expect(disk.counters.total(.staleRead) == 0, "there was nothing to be stale")
        try file.write(pattern(2, 512), at: 1024)
        try file.sync()
        #expect(try file.read(4096, at: 0) == pattern(1, 4096))
        #expect(disk.counters.total(.staleRead) == 1)
        #expect(try file.read(512, at: 1024) == pattern(2, 512))
    }

    @Test func `a misdirected read brings another sector`() throws {
        let disk = SimulatedDisk(seed: 1)
        disk.plant((0..<8).flatMap { [UInt8](repeating: $0, count: 512) }, as: "file")
        let file = try disk.open("file")
        disk.inject(FaultRule(.misdirectedRead, on: .read, .nth(1), times: .max))
        let seen = try Set((0..<200).map { _ in try file.read(1, at: 3 * 512)[0] })
        #expect(seen == Set(0..<8))
        #expect(disk.counters.total(.misdirectedRead) > 100)
    }

    @Test func `a sync that lies makes nothing durable`() throws {
        let disk = SimulatedDisk(seed: 1)
        disk.inject(FaultRule(.ignoredSync, on: .sync, .nth(1)))
        disk.inject(FaultRule(.ignoredSync, on: .syncFolder, .nth(1)))
        let file = try disk.create("file")
        try file.write([1], at: 0)
        try file.sync()
        try disk.syncFolder()
        #expect(disk.durableNames.isEmpty)
        #expect(disk.durableBytes(of: "file") == [])
        try file.sync()
        try disk.syncFolder()
        #expect(disk.crash(CrashModel(.everythingLost)).bytes(of: "file") == [1])
    }

    @Test func `only damage is called damage`() {
        let damage = Fault.allCases.filter(\.isDamage)
        #expect(damage == [.lostWrite, .misdirectedWrite, .ignoredSync, .rot])
    }
}
