import DiskIO
import Testing

/// The bound of a disk in memory: it is full past its limit, and gets back what goes.
@Suite struct MemoryDiskTests {
    static let limit: UInt64 = 1 << 20

    @Test func `a disk past its limit is full, and changes nothing`() throws {
        let disk = MemoryDisk(limit: Self.limit)
        let file = try disk.create("a")
        try file.write([1, 2, 3], at: 0)
        let tooMuch = [UInt8](repeating: 9, count: Int(Self.limit) + 1)
        let writing = #expect(throws: DiskError.self) { try file.write(tooMuch, at: 0) }
        #expect(writing?.kind == "full")
        let allocating = #expect(throws: DiskError.self) { try file.allocate(Self.limit + 1) }
        #expect(allocating?.kind == "full")
        #expect(try file.length() == 3)
        #expect(try file.read(9, at: 0) == [1, 2, 3])
    }

    @Test func `a disk can be filled to its last byte`() throws {
        let disk = MemoryDisk(limit: Self.limit)
        let file = try disk.create("a")
        try file.write([UInt8](repeating: 1, count: Int(Self.limit)), at: 0)
        #expect(try disk.availableBytes() == 0)
        #expect(try disk.totalBytes() == Self.limit)
        #expect(throws: DiskError.self) { try disk.create("b").write([1], at: 0) }
        // What is there can still be changed.
        try file.write([2], at: 5)
    }

    @Test func `what was allocated can be written when the disk is full`() throws {
        let disk = MemoryDisk(limit: Self.limit)
        let first = try disk.create("a")
        try first.write([1], at: 400_000)
        try first.allocate(Self.limit / 2)
        let second = try disk.create("b")
        try second.allocate(try disk.availableBytes())
        #expect(try disk.availableBytes() == 0)
        try first.write([UInt8](repeating: 3, count: Int(Self.limit) / 2), at: 0)
        #expect(try first.allocatedBytes() == Self.limit / 2)
        #expect(throws: DiskError.self) { try first.write([4], at: Self.limit / 2) }
    }

    @Test func `removing, replacing and cutting give space back`() throws {
        let disk = MemoryDisk(limit: Self.limit)
        let half = [UInt8](repeating: 1, count: Int(Self.limit) / 2)
        try disk.create("a").write(half, at: 0)
        try disk.create("b").write(half, at: 0)
        try disk.remove("a")
        #expect(try disk.availableBytes() == Self.limit / 2)
        try disk.create("c").write(half, at: 0)
        try disk.rename("c", to: "b")
        #expect(try disk.availableBytes() == Self.limit / 2)
        try disk.open("b").truncate(to: 1)
        #expect(try disk.availableBytes() == Self.limit - 4096)
        try disk.open("b").truncate(to: 0)
        #expect(try disk.availableBytes() == Self.limit)
    }

    @Test func `a file that is open without a name keeps its space until it is closed`() throws {
        let disk = MemoryDisk(limit: Self.limit)
        var file: (any File)? = try disk.create("a")
        try file?.write([1], at: 0)
        try disk.remove("a")
        #expect(try disk.availableBytes() == Self.limit - 4096)
        #expect(try file?.read(1, at: 0) == [1])
        file = nil
        #expect(try disk.availableBytes() == Self.limit)
    }

    @Test func `a disk ends with its last reference, files and all`() throws {
        var disk: MemoryDisk? = MemoryDisk(limit: Self.limit)
        weak let ended = disk
        weak let file = try disk?.create("a")
        #expect(file != nil)
        disk = nil
        #expect(ended == nil)
        #expect(file == nil)
    }

    @Test func `a file outlives its disk`() throws {
        let file = try MemoryDisk(limit: Self.limit).create("a")
        try file.write([1, 2], at: 0)
        #expect(try file.read(2, at: 0) == [1, 2])
    }
}
