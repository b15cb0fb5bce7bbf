import Oxbow
import Primitives
import Simulation
import Testing

/// A full disk is an answer, not a failure: room can always be made.
@Suite struct FullDiskTests {
    @Test func `on a full disk branches can be deleted and their space reclaimed`() throws {
        let disk = SimulatedDisk(seed: 4, capacity: 4 << 20)
        let clock = SimulatedClock(seed: 4)
        var store = try TestStore.open(disk, clock)
        try store.setWindow(.zero, bytes: 0)
        let main = try store.branch("main")
        try main.write([1: 1], .synced)
        var count = 0
        var refusal: OxbowError.Kind?
        while refusal == nil, count < 200 {
            let branch = try? store.fork("b\(count)", from: main)
            let pages = (0..<40).map { ($0 + 10, count * 100 + $0 + 1) }
            refusal = kind {
                try branch?.write(Dictionary(uniqueKeysWithValues: pages), .synced)
            }
            count += 1
            if count % 8 == 0 { refusal = refusal ?? kind { try store.step() } }
        }
        #expect(refusal == .full)
        #expect(try main.difference(from: [1: 1]) == nil)
        for index in 0..<count - 10 {
            if let branch = try? store.branch("b\(index)") { try branch.delete() }
        }
        try store.checkpoint()
        // The first pass lets go of the branches, the second of the checkpoints that showed them.
        let freed = try store.reclaim().freedBytes + store.reclaim().freedBytes
        #expect(freed > 1 << 20)
        try main.write([1: 2], .synced)
        try store.close()
        store = try TestStore.open(disk.kill(), clock)
        #expect(try store.branch("main").difference(from: [1: 2]) == nil)
        #expect(try store.check().problems == [])
    }
}
