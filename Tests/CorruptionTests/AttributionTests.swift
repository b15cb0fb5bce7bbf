import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing
import WriteAheadLog

/// Whom damage touches: the branches, snapshots and points that show what is lost, and no others.
@Suite struct AttributionTests {
    @Test func `damage to a page names all who show it, and nobody who wrote over it`() throws {
        let disk = try Self.history()
        let page = try #require(
            disk.records().first { place in
                place.record.header.kind == .commit && place.record.blocks.count == 20
            }
        )
        let seventh = page.record.blocks[7].location.lsn.rawValue - page.record.lsn.rawValue
        disk.flip(bit: (page.at + Int(seventh) + BlockHeader.size) * 8, of: page.file)

        let store = try DamagedStore.open(disk, SimulatedClock(seed: 5))
        let problems = try store.check().problems.filter { $0.page != nil }
        #expect(problems.map(\.page) == [7])
        #expect(problems.map(\.object) == [DamagedStore.table])
        #expect(problems.first?.branches == ["main", "same", "kept"])
        #expect(problems.first?.points.count ?? 0 >= 2)
    }

    @Test func `damage to a node names all who reach it, also through pages they wrote over`()
        throws
    {
        let disk = try Self.history()
        // The first node of a page map: that of the first checkpoint.
        let nodes = try #require(
            disk.records().first { record in
                record.record.blocks.contains { $0.header.kind == .node && $0.header.object == 1 }
            }
        )
        let block = try #require(
            nodes.record.blocks.first { $0.header.kind == .node && $0.header.object == 1 }
        )
        let offset = Int(block.location.lsn.rawValue - nodes.record.lsn.rawValue)
        disk.flip(bit: (nodes.at + offset + BlockHeader.size) * 8, of: nodes.file)

        let store = try DamagedStore.open(disk, SimulatedClock(seed: 5))
        let problem = try #require(store.check().problems.first { !$0.branches.isEmpty })
        // `newest` has the node beneath what it wrote since; `other` has one of its own.
        #expect(problem.branches == ["main", "same", "newest", "kept"])
        #expect(problem.points.count >= 2)
    }

    /// `main` wrote pages; `same` was forked of it, and so were `other`, which wrote page 7 before
    /// a checkpoint, and `newest`, which did so after it.
    private static func history() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 5)
        var options = DamagedStore.options
        options.checkpointChanges = 10_000
        var random = SeededRandom(test: 51)
        let store = try Store.open(
            disk,
            SimulatedClock(seed: 5),
            options,
            entropy: Entropy { random.next() }
        )
        let main = try store.branch("main")
        try main.commit { edit in
            for number in 0..<20 as Range<UInt64> {
                try edit.write(random.bytes(512), page: PageNumber(number), of: DamagedStore.table)
            }
        }
        try store.checkpoint()
        try store.fork("same", from: main)
        let other = try store.fork("other", from: main)
        try other.commit { try $0.write(random.bytes(512), page: 7, of: DamagedStore.table) }
        try store.createSnapshot("kept", of: main.point(at: .head))
        try store.checkpoint()
        let newest = try store.fork("newest", from: main)
        try newest.commit { try $0.write(random.bytes(512), page: 7, of: DamagedStore.table) }
        return disk.crash(CrashModel(.everythingKept))
    }
}
