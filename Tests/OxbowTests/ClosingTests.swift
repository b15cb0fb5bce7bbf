import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// What a store that is closed leaves in its folder.
@Suite struct ClosingTests {
    let base = SimulatedDisk(seed: 9)
    let clock = SimulatedClock(seed: 9)

    private func checkpoints(_ disk: any Disk) throws -> Int {
        LogDumpTests.records(try LogDumpTests.items(disk)).count { $0.kind == "checkpoint" }
    }

    private func files(_ disk: SimulatedDisk) -> [String: [UInt8]] {
        let names = disk.names.filter { $0 != "superblock" }
        return Dictionary(uniqueKeysWithValues: names.map { ($0, disk.bytes(of: $0) ?? []) })
    }

    @Test func `closing leaves nothing to replay, however little was done`() throws {
        var disk = base
        for round in 1...4 {
            let store = try TestStore.open(disk, clock)
            // Anything that is a change, a new store's branch included.
            switch round {
            case 1: break
            case 2: try store.branch("main").write([1: 1])
            case 3: try store.fork("child", from: store.branch("main"))
            default: try store.setWindow(.seconds(100), bytes: 1 << 20)
            }
            try store.close()
            disk = disk.kill()
            #expect(try checkpoints(disk) == round)
        }
        let store = try TestStore.open(disk, clock)
        #expect(try store.branch("child").difference(from: [1: 1]) == nil)
    }

    @Test func `closing writes nothing into segments where nothing was changed`() throws {
        let store = try TestStore.open(base, clock)
        try store.branch("main").write([1: 1], .synced)
        let crashed = base.snapshot()
        try store.close()
        for disk in [base.snapshot(), crashed] {
            let before = files(disk)
            let store = try TestStore.open(disk, clock)
            #expect(try store.branch("main").difference(from: [1: 1]) == nil)
            try store.close()
            let after = files(disk)
            #expect(after.keys.sorted() == before.keys.sorted())
            #expect(after.count { $0.value != before[$0.key] } <= (disk === crashed ? 1 : 0))
        }
    }

    @Test(arguments: [true, false])
    func `a store closes where its checkpoint cannot be made`(isFull: Bool) throws {
        let disk = HookedDisk(base)
        var store = try TestStore.open(disk, clock)
        let pages = Dictionary(uniqueKeysWithValues: (0..<600).map { ($0, $0 + 1) })
        try store.branch("main").write(pages)
        try store.close()
        store = try TestStore.open(disk, clock)
        try store.branch("main").write([1: 2])
        disk.onNext(.read) { () throws(DiskError) in
            throw isFull
                ? .full(operation: "a test") : .failed(operation: "a test", code: 5, reason: "no")
        }
        try store.close()
        #expect(!disk.isWaiting)
        let again = try TestStore.open(base.kill(), clock)
        #expect(try again.branch("main").difference(from: pages.merging([1: 2]) { $1 }) == nil)
        #expect(try again.check().problems == [])
    }
}
