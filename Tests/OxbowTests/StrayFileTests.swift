import Oxbow
import Simulation
import Testing

/// Files in a store's folder that the store did not make.
@Suite struct StrayFileTests {
    /// A disk with a store that was closed, and with one more file.
    private static func disk(with name: String, _ bytes: [UInt8] = []) throws -> SimulatedDisk {
        let test = try TestStore()
        try test.store.branch("main").write([1: 1])
        try test.store.close()
        let disk = test.disk.kill()
        disk.plant(bytes, as: name)
        return disk
    }

    @Test(
        arguments: [
            "ffffffffffffffff.segment", "fffffffffffffffe.segment", "7fffffffffffffff.segment",
            "0001000000000000.segment", "0000ffffffffffff.segment", "notes.new", "segment.new",
            "superblock.new.new",
            "0000000000000000-0000000000000003.segment",
            "0000000000000100-0000000000000200.segment",
            "0000000000000001-fffffffffffffffe.segment", "0000000000000001.segments.new",
            "1.segment.new", "x.segment",
        ]
    )
    func `a name that is none of the store's is left alone`(name: String) throws {
        let disk = try Self.disk(with: name, [1, 2, 3])
        for content in 2..<4 {
            let store = try TestStore.open(disk, SimulatedClock(seed: 1))
            #expect(try store.branch("main").difference(from: [1: content - 1]) == nil)
            try store.branch("main").write([1: content])
            #expect(store.durableLSN.rawValue < 1 << 20)
            #expect(try store.check().isSound)
            try store.close()
            #expect(disk.bytes(of: name) == [1, 2, 3])
        }
    }

    @Test(
        arguments: [
            "0000fffffffffff0.segment", "0000fffffffffffe.segment", "0000000000000100.segment",
        ]
    )
    func `a segment that follows none, and is none, is named`(name: String) throws {
        for bytes in [[], [UInt8](repeating: 0, count: 8192), [1, 2, 3]] {
            let disk = try Self.disk(with: name, bytes)
            let error = #expect(throws: OxbowError.self) {
                try TestStore.open(disk, SimulatedClock(seed: 1))
            }
            #expect(error?.kind == .damaged)
            #expect(error?.description.contains(name) == true)
            #expect(disk.bytes(of: name) == bytes)
            try disk.remove(name)
            let store = try TestStore.open(disk, SimulatedClock(seed: 1))
            #expect(try store.branch("main").difference(from: [1: 1]) == nil)
        }
    }

    @Test func `a store's own names that nothing needs are taken away`() throws {
        for name in ["superblock.new", "0000000000000000.segment.new"] {
            let disk = try Self.disk(with: name, [1, 2, 3])
            let store = try TestStore.open(disk, SimulatedClock(seed: 1))
            #expect(disk.bytes(of: name) == nil)
            #expect(try store.branch("main").difference(from: [1: 1]) == nil)
        }
    }
}
