import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// After a write or sync has failed nothing is acknowledged, and nothing shown that may be lost.
@Suite struct FailureTests {
    @Test(arguments: [DiskOperation.write, .sync])
    func `a failure ends all acknowledging until the store is opened anew`(
        operation: DiskOperation
    ) throws {
        for seed in 0..<20 as Range<UInt64> {
            var test = try TestStore(seed: seed)
            let main = try test.store.branch("main")
            let first = try main.write([1: 1, 2: 2], .synced)
            let before = try main.point(at: .head)
            let durable = test.store.durableLSN
            #expect(durable > first.lsn)
            test.disk.inject(FaultRule(.failure, on: operation, .nth(1)))
            #expect(kind { try main.write([1: 3], .synced) } == .reopen)
            test.disk.removeFaults()
            #expect(test.store.durableLSN == durable, "what failed counts as durable")
            // The bytes may be anywhere between memory and disk: trying again proves nothing.
            #expect(kind { try main.write([1: 4], .synced) } == .reopen)
            #expect(kind { try test.store.sync() } == .reopen)
            #expect(kind { try test.store.checkpoint() } == .reopen)
            #expect(test.store.durableLSN == durable)
            #expect(kind { _ = try main.read(page: 1, of: TestStore.table) } == .reopen)
            #expect(kind { _ = try main.point(at: .head) } == .reopen)
            #expect(kind { _ = try main.view() } == .reopen)
            #expect(try main.history().first?.lsn == first.lsn)
            #expect(try main.history(from: .oldest).last?.lsn == first.lsn)
            let asked = try main.point(at: .lsn(first.lsn))
            #expect(asked.lsn == first.lsn && asked.next == nil)
            let past = try main.view(at: before)
            #expect(try past.read(page: 1, of: TestStore.table) == TestStore.page(1))
            try test.crash()
            let again = try test.store.branch("main")
            #expect(try again.read(page: 2, of: TestStore.table) == TestStore.page(2))
            let found = try again.read(page: 1, of: TestStore.table)
            #expect(found == TestStore.page(1) || found == TestStore.page(3))
        }
    }
}
