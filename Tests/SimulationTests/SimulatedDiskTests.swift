import DiskIO
import Primitives
import Simulation
import Testing

@Suite struct SimulatedDiskTests {
    let disk = SimulatedDisk(seed: 1)

    @Test func `a file holds what a plain array of bytes would`() throws {
        var random = SeededRandom(seed: 7)
        let file = try disk.create("file")
        var model: [UInt8] = []
        for round in 0..<2000 {
            let offset = random.below(30_000)
            switch random.below(10) {
            case 0:
                try file.truncate(to: UInt64(offset))
                model = Array(model.prefix(offset)) + zeros(offset - model.count)
            case 1:
                try file.allocate(UInt64(offset))
                model += zeros(offset - model.count)
            case 2: try file.sync()
            default:
                let bytes = pattern(UInt8(round % 256), random.below(9000))
                try file.write(bytes, at: UInt64(offset))
                if bytes.isEmpty { continue }
                model += zeros(offset + bytes.count - model.count)
                model.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            }
            let start = random.below(30_000)
            let expected = Array(model.dropFirst(start).prefix(5000))
            #expect(try file.read(5000, at: UInt64(start)) == expected)
            #expect(try file.length() == UInt64(model.count))
        }
        #expect(disk.bytes(of: "file") == model)
        try file.sync()
        #expect(disk.durableBytes(of: "file") == model)
    }

    private func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: max(0, count)) }

    @Test func `names behave as a folder's do`() throws {
        #expect(failure { () throws(DiskError) in _ = try disk.open("a") } != nil)
        let file = try disk.create("a")
        #expect(
            failure { () throws(DiskError) in _ = try disk.create("a") }
                == .exists(operation: "create simulated/a")
        )
        try file.write([1], at: 0)
        let replaced = try disk.create("b")
        try replaced.write([2], at: 0)
        try disk.rename("a", to: "b")
        #expect(try disk.list() == ["b"])
        #expect(try disk.open("b").read(1, at: 0) == [1])
        #expect(try replaced.read(1, at: 0) == [2])
        try disk.remove("b")
        #expect(try disk.list().isEmpty)
        #expect(
            failure { () throws(DiskError) in try disk.remove("b") }
                == .notFound(operation: "remove simulated/b")
        )
        #expect(
            failure { () throws(DiskError) in try disk.rename("b", to: "c") }
                == .notFound(operation: "rename simulated/b")
        )
    }

    @Test func `listing has no order to rely on`() throws {
        for name in ["a", "b", "c", "d"] { _ = try disk.create(name) }
        let orders = try Set((0..<200).map { _ in try disk.list() })
        #expect(orders.count == 24)
        #expect(disk.names == ["a", "b", "c", "d"])
    }

    @Test func `only blocks that hold something take space`() throws {
        disk.capacity = 10 * 4096
        let file = try disk.create("file")
        try file.write([1], at: 4096 * 5)
        #expect(try file.allocatedBytes() == 4096)
        #expect(try disk.availableBytes() == 9 * 4096)
        try file.allocate(4096 * 8)
        #expect(try file.allocatedBytes() == 8 * 4096)
        try file.truncate(to: 4096)
        #expect(try disk.availableBytes() == 9 * 4096)
        try disk.remove("file")
        #expect(try disk.availableBytes() == 9 * 4096)
        withExtendedLifetime(file) {}
    }

    @Test func `the space of a removed file is free once its last handle is gone`() throws {
        disk.capacity = 4096
        var file: (any File)? = try disk.create("file")
        try file?.write([1], at: 0)
        try disk.remove("file")
        #expect(try disk.availableBytes() == 0)
        file = nil
        #expect(try disk.availableBytes() == 4096)
    }

    @Test func `a file too large for the disk's numbers is an error`() throws {
        let file = try disk.create("file")
        let error = failure { () throws(DiskError) in try file.write([1], at: .max) }
        #expect(error?.reason == "file too large")
    }

    @Test func `a snapshot and its original go separate ways`() throws {
        let file = try disk.create("file")
        try file.write(pattern(1, 8192), at: 0)
        let copy = disk.snapshot()
        try file.write(pattern(2, 8192), at: 0)
        #expect(copy.bytes(of: "file") == pattern(1, 8192))
        try copy.open("file").write(pattern(3, 100), at: 0)
        #expect(disk.bytes(of: "file") == pattern(2, 8192))
        #expect(copy.crash(CrashModel(.everythingKept)).names == ["file"])
        #expect(disk.snapshot().crash(CrashModel(.everythingLost)).names.isEmpty)
        #expect(disk.names == ["file"])
    }

    @Test func `threads that share a disk do not tear its state`() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 as Range<UInt8> {
                group.addTask { [disk] in
                    let file = try disk.create("file\(number)")
                    for round in 0..<200 {
                        try file.write(pattern(number, 600), at: UInt64(round * 600))
                        if round % 50 == 0 { try file.sync() }
                    }
                    try disk.syncFolder()
                    try file.sync()
                }
            }
            try await group.waitForAll()
        }
        let next = disk.crash(CrashModel(.everythingLost))
        for number in 0..<4 as Range<UInt8> {
            let bytes = try #require(next.durableBytes(of: "file\(number)", in: 600..<1200))
            #expect(bytes == pattern(number, 600))
            #expect(next.length(of: "file\(number)") == 120_000)
        }
    }

    @Test func `bytes planted or edited are durable and exact`() throws {
        disk.plant(pattern(1, 5000), as: "file")
        disk.overwrite("file", at: 4090, with: [9, 9])
        disk.flip(bit: 8 * 10 + 3, of: "file")
        disk.resize("file", to: 4999)
        var expected = pattern(1, 4999)
        expected.replaceSubrange(4090..<4092, with: [9, 9])
        expected[10] ^= 8
        #expect(disk.bytes(of: "file") == expected)
        #expect(disk.crash(CrashModel(.everythingLost)).bytes(of: "file") == expected)
    }

    @Test func `planting over a renamed file brings its old name back to nobody`() throws {
        disk.plant([1], as: "a")
        try disk.rename("a", to: "b")
        disk.plant([2], as: "b")
        let next = disk.crash(CrashModel(.everythingLost))
        #expect(next.names == ["b"])
        #expect(next.bytes(of: "b") == [2])
    }
}
