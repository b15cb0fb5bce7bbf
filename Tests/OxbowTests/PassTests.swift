import Glibc
import Oxbow
import Testing

/// What others do while somebody walks over all that is live, and what is told of how far that is.
@Suite struct PassTests {
    private static let table = ObjectID(1)

    private static func options(_ upkeep: StoreOptions.Upkeep) -> StoreOptions {
        var options = StoreOptions()
        options.upkeep = upkeep
        options.pageSize = 512
        options.segmentBits = 16
        return options
    }

    private static func fill(_ branch: Branch, pages: Range<Int>) throws -> Commit {
        try branch.commit(.buffered) { edit in
            for page in pages {
                // Nothing that LZ4 makes smaller.
                let bytes = (0..<512).map { UInt8(truncatingIfNeeded: ($0 &* 31 ^ page) &* 167) }
                try edit.write(bytes, page: PageNumber(UInt64(page)), of: table)
            }
        }
    }

    /// A store with segments that a pass looks at.
    private static func store(_ upkeep: StoreOptions.Upkeep) throws -> (Store, Branch) {
        let store = try Store.temporary(options(upkeep))
        let main = try store.branch("main")
        try store.setWindow(.zero, bytes: 0)
        for round in 0..<3 {
            for part in 0..<6 { _ = try fill(main, pages: part * 50..<part * 50 + 100 + round) }
            try store.checkpoint()
        }
        return (store, main)
    }

    /// All that waits for the end of a pass.
    private static func expectRefusals(by store: Store) {
        #expect(kind { _ = try store.reclaim() } == .invalid)
        #expect(kind { _ = try store.usage() } == .invalid)
        #expect(kind { _ = try store.check() } == .invalid)
        #expect(kind { try store.close() } == .invalid)
    }

    @Test func `from a pass what waits for its end is refused, and all else goes on`() throws {
        let (store, main) = try Self.store(.manual)
        var calls = 0
        try store.reclaim { _, _ in
            calls += 1
            Self.expectRefusals(by: store)
            #expect(kind { _ = try Self.fill(main, pages: 0..<10) } == nil)
            #expect(kind { try store.fork("f\(calls)", from: main) } == nil)
            #expect(kind { try store.checkpoint() } == nil)
        }
        #expect(calls > 0)
        _ = try store.usage()
        try store.close()
    }

    @Test func `from a check what waits for its end is refused, and all else goes on`() throws {
        let store = try Store.temporary(Self.options(.manual))
        let main = try store.branch("main")
        _ = try Self.fill(main, pages: 0..<5000)
        // Safe: the check calls back on this thread alone.
        nonisolated(unsafe) var calls = 0
        let report = try store.check { _ in
            calls += 1
            Self.expectRefusals(by: store)
            #expect(kind { _ = try Self.fill(main, pages: 0..<10) } == nil)
        }
        #expect(calls > 0 && report.isSound)
        try store.close()
    }

    @Test func `a buffered commit becomes durable by itself, however long a pass takes`() throws {
        let (store, main) = try Self.store(.automatic)
        var (calls, isLate) = (0, false)
        try store.reclaim { _, _ in
            calls += 1
            // So many segments that upkeep wants a pass of its own.
            for _ in 0..<12 where !isLate {
                guard let commit = try? Self.fill(main, pages: 0..<200) else { return }
                var waits = 0
                while store.durableLSN <= commit.lsn, !isLate {
                    usleep(10_000)
                    waits += 1
                    isLate = waits == 3_000
                }
            }
        }
        #expect(calls > 0)
        #expect(!isLate, "nothing was durable in half a minute")
        try store.close()
    }
}
