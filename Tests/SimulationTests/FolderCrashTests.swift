import DiskIO
import Primitives
import Simulation
import Testing

@Suite struct FolderCrashTests {
    @Test func `a file's own sync does not keep its name`() throws {
        let disk = SimulatedDisk(seed: 1)
        let file = try disk.create("file")
        try file.write([1], at: 0)
        try file.sync()
        #expect(disk.snapshot().crash(CrashModel(.everythingLost)).names.isEmpty)
        try disk.syncFolder()
        let next = disk.crash(CrashModel(.everythingLost))
        #expect(next.bytes(of: "file") == [1])
    }

    @Test func `a synced folder does not keep a file's bytes`() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.create("file").write([1], at: 0)
        try disk.syncFolder()
        #expect(disk.crash(CrashModel(.everythingLost)).bytes(of: "file") == [])
    }

    @Test func `an unsynced removal may come undone, with all bytes`() throws {
        var outcomes: Set<[String]> = []
        for seed in 0..<50 as Range<UInt64> {
            let disk = SimulatedDisk.holding([7], seed: seed)
            try disk.remove("file")
            let next = disk.crash()
            outcomes.insert(next.names)
            #expect(next.names.isEmpty || next.bytes(of: "file") == [7])
        }
        #expect(outcomes == [[], ["file"]])
    }

    @Test func `an unsynced rename leaves the old state or the new one`() throws {
        var outcomes: Set<[String: [UInt8]]> = []
        for seed in 0..<50 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            disk.plant([1], as: "current")
            disk.plant([2], as: "new")
            try disk.rename("new", to: "current")
            outcomes.insert(contents(disk.crash()))
        }
        #expect(outcomes == [["current": [1], "new": [2]], ["current": [2]]])
    }

    @Test func `a file never has two names`() throws {
        var outcomes: Set<[String: [UInt8]]> = []
        for seed in 0..<500 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let file = try disk.create("a")
            try file.write([1], at: 0)
            try file.sync()
            try disk.rename("a", to: "b")
            try disk.rename("b", to: "c")
            outcomes.insert(contents(disk.crash()))
        }
        #expect(outcomes == [[:], ["a": [1]], ["b": [1]], ["c": [1]]])
    }

    @Test func `a removal takes away the file that it was for and no other`() throws {
        var outcomes: Set<[String: [UInt8]]> = []
        for seed in 0..<300 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            disk.plant([1], as: "a")
            disk.plant([2], as: "b")
            try disk.rename("a", to: "b")
            try disk.remove("b")
            outcomes.insert(contents(disk.crash()))
        }
        #expect(outcomes == [[:], ["b": [1]], ["a": [1], "b": [2]]])
    }

    @Test func `a name used again is one file or the other`() throws {
        var outcomes: Set<[String: [UInt8]]> = []
        for seed in 0..<300 as Range<UInt64> {
            let disk = SimulatedDisk.holding([1], as: "a", seed: seed)
            try disk.remove("a")
            let file = try disk.create("a")
            try file.write([2], at: 0)
            try file.sync()
            outcomes.insert(contents(disk.crash()))
        }
        #expect(outcomes == [[:], ["a": [1]], ["a": [2]]])
    }

    @Test func `everything before a folder's sync is certain`() throws {
        for seed in 0..<50 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            for name in ["a", "b", "c"] { _ = try disk.create(name) }
            try disk.rename("a", to: "d")
            try disk.remove("b")
            try disk.syncFolder()
            #expect(disk.durableNames == ["c", "d"])
            #expect(disk.crash().names == ["c", "d"])
        }
    }

    private func contents(_ disk: SimulatedDisk) -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: disk.names.map { ($0, disk.bytes(of: $0) ?? []) })
    }
}
