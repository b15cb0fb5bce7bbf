import Oxbow
import Primitives
import Simulation
import Testing

/// Damage that opening a store heals, and the check tells of.
@Suite struct CheckedDamageTests {
    @Test func `a damaged slot of the superblock is told of, though opening writes it anew`() throws
    {
        let written = try DamagedStore(seed: 7)
        var told: [Int] = []
        for slot in 0..<2 {
            let copy = written.disk.snapshot()
            copy.flip(bit: (slot * 4096 + 60) * 8, of: "superblock")
            let store = try DamagedStore.open(copy, written.clock)
            let report = try store.check()
            if !report.isSound {
                told.append(slot)
                #expect(report.problems.map(\.file) == ["superblock"])
            }
            try store.close()
            #expect(try DamagedStore.open(copy, written.clock).check().isSound)
        }
        // Without the slot that says so the store was not closed cleanly, and a crash leaves that.
        #expect(told.count == 1)
    }
}
