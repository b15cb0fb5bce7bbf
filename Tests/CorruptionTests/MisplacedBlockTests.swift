import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing
import WriteAheadLog

/// Sound bytes in a place that is not theirs: what a write that went astray leaves.
@Suite struct MisplacedBlockTests {
    static func page(_ seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        return (0..<512).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// The records of a disk's segments, and in which file at what offset each stands.
    private func records(_ disk: SimulatedDisk) throws -> [(file: String, at: Int, record: Record)]
    {
        var found: [(String, Int, Record)] = []
        for name in disk.names {
            guard let number = SegmentNumber(fileName: name) else { continue }
            let file = try disk.open(name)
            let bytes = try file.read(SegmentHeader.size, at: 0)
            guard let header = try? SegmentHeader.decode(bytes) else { continue }
            let base = header.geometry.base(of: number)
            var scanner = SegmentScanner(file: file, header: header)
            while let record = try scanner.next() {
                found.append((name, Int(record.lsn.rawValue - base.rawValue), record))
            }
        }
        return found
    }

    @Test func `another version of a page in the place of one is reported`() throws {
        let disk = SimulatedDisk(seed: 1)
        let clock = SimulatedClock(seed: 1)
        let store = try DamagedStore.open(disk, clock)
        let main = try store.branch("main")
        for version in 1...2 as ClosedRange<UInt64> {
            try main.commit { try $0.write(Self.page(version), page: 5, of: DamagedStore.table) }
        }
        // So that opening does not read the commits again.
        for _ in 0..<2 { try store.checkpoint() }
        try store.close()
        let after = disk.kill()
        let commits = try records(after).filter { $0.record.header.kind == .commit }
        try #require(commits.count == 2)
        let blocks = try commits.map { try #require($0.record.blocks.first) }
        let bytes = try #require(after.bytes(of: commits[0].file))
        let offsets = zip(commits, blocks).map { commit, block in
            commit.at + Int(block.location.lsn.rawValue - commit.record.lsn.rawValue)
        }
        let length = Int(blocks[0].location.length)
        #expect(blocks[1].location.length == blocks[0].location.length)
        after.overwrite(
            commits[1].file,
            at: offsets[1],
            with: Array(bytes[offsets[0]..<offsets[0] + length])
        )
        let again = try DamagedStore.open(after, clock)
        let error = #expect(throws: OxbowError.self) {
            _ = try again.branch("main").read(page: 5, of: DamagedStore.table)
        }
        #expect(error?.kind == .damaged)
        #expect(try !again.check().isSound)
    }

    @Test func `a record that stands behind the last one a second time is not replayed`() throws {
        for isFork in [true, false] {
            let disk = SimulatedDisk(seed: 2)
            let clock = SimulatedClock(seed: 2)
            let store = try DamagedStore.open(disk, clock)
            let main = try store.branch("main")
            try main.commit { try $0.write(Self.page(1), page: 5, of: DamagedStore.table) }
            if isFork { try store.fork("child", from: main) } else { try main.rename(to: "other") }
            try store.sync()
            let names = try store.branches().map(\.name)
            let after = disk.kill()
            let all = try records(after)
            let last = try #require(all.last)
            #expect(last.record.header.kind == .lifecycle)
            let length = Int(last.record.header.length)
            let bytes = try #require(after.bytes(of: last.file))
            after.overwrite(
                last.file,
                at: last.at + length,
                with: Array(bytes[last.at..<last.at + length])
            )
            let again = try DamagedStore.open(after, clock)
            #expect(try again.branches().map(\.name) == names)
            #expect(try again.branches().map(\.head.lsn).max() ?? .zero <= last.record.lsn)
            let events = try again.branches().flatMap { try again.branch($0.id).events() }
            #expect(Set(events.map(\.lsn)).count == events.count)
            #expect(events.map(\.lsn).max() == last.record.lsn)
        }
    }
}
