import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing
import WriteAheadLog

/// Segments of which little is left share files: each file has a header and an index, which would
/// take more than what is kept.
@Suite struct NearlyDeadSegmentTests {
    static let kept = ObjectID(1)
    static let passing = ObjectID(2)

    static func options(bits: Int) -> StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.pageSize = 1024
        options.segmentBits = bits
        options.checkpointChanges = 512
        options.createIfMissing = true
        return options
    }

    static func open(_ disk: any Disk, bits: Int = 16) throws(OxbowError) -> Store {
        var random = SeededRandom(seed: 3)
        return try Store.open(
            disk,
            SimulatedClock(seed: 3),
            options(bits: bits),
            entropy: Entropy { random.next() }
        )
    }

    /// Fills segments, and deletes all of each but a page or two.
    static func thin(_ store: Store, segments: Int, seed: Int = 0) throws {
        let main = try store.branch("main")
        for round in 0..<segments {
            try main.commit(.buffered) { edit in
                let page = PageNumber(UInt64(seed * 1000 + round))
                try edit.write(ReclaimTests.page(seed * 1000 + round), page: page, of: kept)
            }
            for part in 0..<6 {
                try main.commit(.buffered) { edit in
                    for page in 0..<10 {
                        try edit.write(
                            ReclaimTests.page(round * 100 + part),
                            page: PageNumber(UInt64(part * 10 + page)),
                            of: passing
                        )
                    }
                }
                try store.step()
            }
        }
        try main.commit { try $0.delete(object: passing) }
        try store.setWindow(.zero, bytes: 0)
    }

    static func expectKept(_ store: Store, segments: Int, seed: Int = 0) throws {
        let main = try store.branch("main")
        for round in 0..<segments {
            let page = PageNumber(UInt64(seed * 1000 + round))
            #expect(try main.read(page: page, of: kept) == ReclaimTests.page(seed * 1000 + round))
        }
        let report = try store.check()
        #expect(report.isSound, "\(report.problems)")
    }

    static func shared(_ disk: SimulatedDisk) -> [String] {
        disk.names.filter { $0.contains("-") }.sorted()
    }

    @Test func `they share files, within the bound, and are read from there`() throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try Self.open(disk)
        try Self.thin(store, segments: 120)
        let held = try store.branch("main").view()
        let report = try store.reclaim()
        #expect(report.rewrittenSegments > 80)
        let usage = try store.usage()
        #expect(usage.segments < 20)
        // What is below the dense history, and the log from there on.
        let live = Double(report.liveBytes) + Double(usage.diskBytes - Self.old(disk))
        #expect(Double(usage.diskBytes) <= 1.1 * live + 65_536)
        #expect(try held.read(page: 3, of: Self.kept) == ReclaimTests.page(3))
        try Self.expectKept(store, segments: 120)
        #expect(!Self.shared(disk).isEmpty)
        // Nothing is left to win, and nothing is done again.
        let again = try store.reclaim()
        #expect(again.rewrittenSegments <= 3)
        try store.close()
        let reopened = try Self.open(disk)
        try Self.expectKept(reopened, segments: 120)
    }

    /// The bytes of files of segments that were rewritten.
    static func old(_ disk: SimulatedDisk) -> UInt64 {
        disk.names.filter { name in
            guard let bytes = disk.bytes(of: name), name != Superblock.fileName else {
                return false
            }
            return ((try? SegmentHeader.decode(Array(bytes.prefix(4096))))?.generation ?? 0) > 0
        }.reduce(0) { $0 + UInt64(disk.length(of: $1) ?? 0) }
    }

    @Test func `a shared file takes further ones in, and goes when nothing in it lives`() throws {
        let disk = SimulatedDisk(seed: 2)
        let store = try Self.open(disk)
        try Self.thin(store, segments: 30)
        try store.reclaim()
        let first = Self.shared(disk)
        try Self.thin(store, segments: 30, seed: 1)
        try store.reclaim()
        try store.reclaim()
        #expect(Self.shared(disk) != first)
        try Self.expectKept(store, segments: 30)
        try Self.expectKept(store, segments: 30, seed: 1)
        try store.branch("main").commit { try $0.delete(object: Self.kept) }
        for _ in 0..<3 { try store.reclaim() }
        #expect(try store.check().isSound)
        try store.close()
        #expect(try Self.open(disk).usage().diskBytes < 12 * 65_536)
    }

    @Test func `what a crash leaves beside a shared file is removed`() throws {
        let disk = SimulatedDisk(seed: 3)
        let store = try Self.open(disk)
        try Self.thin(store, segments: 40)
        try store.checkpoint()
        let before = disk.snapshot()
        try store.reclaim()
        try store.close()
        let name = try #require(Self.shared(disk).first)
        let span = try #require(SegmentSpan(fileName: name))
        for name in before.names where disk.bytes(of: name) == nil {
            let isOfIt = SegmentNumber(fileName: name).map(span.contains) ?? false
            guard isOfIt, let bytes = before.bytes(of: name) else { continue }
            disk.plant(bytes, as: name)
        }
        disk.plant([1, 2, 3], as: span.fileName + ".new")
        let wider = SegmentSpan(span.first, through: span.last.next)
        disk.plant([1, 2, 3], as: wider.fileName)
        let count = disk.names.count
        let reopened = try Self.open(disk)
        #expect(disk.names.count < count - 3)
        #expect(!disk.names.contains { $0.hasSuffix(".new") })
        #expect(disk.bytes(of: wider.fileName) == [1, 2, 3])
        try Self.expectKept(reopened, segments: 40)
    }

    @Test func `a damaged segment stays, is told of, and keeps no other from being given back`()
        throws
    {
        let disk = SimulatedDisk(seed: 6)
        let store = try Self.open(disk)
        try Self.thin(store, segments: 60)
        try store.checkpoint()
        let damaged = "0000000000000014.segment"
        let bytes = try #require(disk.bytes(of: damaged))
        // In every place that can hold a block.
        for place in stride(from: 4096 + 200, to: bytes.count - 4096, by: 512) {
            disk.flip(bit: place * 8, of: damaged)
        }
        var failure = #expect(throws: OxbowError.self) { try store.reclaim() }
        #expect(failure?.kind == .damaged)
        #expect(disk.bytes(of: damaged)?.count == bytes.count)
        #expect(Self.shared(disk).count >= 2)
        #expect(try store.usage().segments < 12)
        failure = #expect(throws: OxbowError.self) { try store.reclaim() }
        #expect(failure?.kind == .damaged)
        #expect(!(try store.check().isSound))
    }

    @Test func `what a pass takes from under a walk is no damage`() throws {
        let disk = SimulatedDisk(seed: 8)
        let store = try Self.open(disk)
        for round in 0..<6 {
            try Self.thin(store, segments: 20, seed: round)
            let dump = try LogDump(disk)
            var count = 0
            dump.walk { item in
                if case .segment = item { count += 1 }
                if case .segment = item, count == round + 1 {
                    do { try store.reclaim() } catch { Issue.record(error) }
                }
                if case .damage(let fault) = item { Issue.record("round \(round): \(fault)") }
                return true
            }
            #expect(count > round)
        }
        // What is gone though nobody took it is still missed.
        let name = try #require(Self.shared(disk).first)
        let file = try disk.open(name)
        var told = 0
        try LogDump(disk).walk { item in
            if case .segment(let segment) = item, segment.file == name {
                try? file.truncate(to: 4096)
            }
            if case .damage = item { told += 1 }
            return true
        }
        #expect(told > 0)
    }

    @Test func `a shared file that is gone or another's is damage, with its place`() throws {
        let disk = SimulatedDisk(seed: 4)
        let store = try Self.open(disk)
        try Self.thin(store, segments: 40)
        try store.reclaim()
        try store.close()
        let name = try #require(Self.shared(disk).first)
        let bytes = try #require(disk.bytes(of: name))
        for damaged in [nil, Array(bytes.prefix(5000)), Array(bytes.reversed())] {
            let copy = disk.snapshot()
            if let damaged { copy.plant(damaged, as: name) } else { try copy.remove(name) }
            // Nodes of the catalog may be in it, which opening needs.
            do throws(OxbowError) {
                let report = try Self.open(copy).check()
                #expect(report.problems.contains { $0.page != nil && !$0.branches.isEmpty })
            } catch {
                #expect(error.kind == .damaged, "\(error)")
            }
        }
    }
}

@Suite struct SegmentSpanTests {
    @Test func `names are read as they are written, and nothing else is`() {
        let one = SegmentSpan(SegmentNumber(rawValue: 7))
        let several = SegmentSpan(
            SegmentNumber(rawValue: 7),
            through: SegmentNumber(rawValue: 12)
        )
        #expect(one.fileName == "0000000000000007.segment")
        #expect(several.fileName == "0000000000000007-000000000000000c.segment")
        #expect(SegmentSpan(fileName: one.fileName) == one)
        #expect(SegmentSpan(fileName: several.fileName) == several)
        for name in [
            "0000000000000007-0000000000000007.segment",
            "000000000000000c-0000000000000007.segment",
            "0000000000000007-000000000000000C.segment", "0000000000000007-.segment",
            "-0000000000000007.segment", "7-c.segment",
            "0000000000000007-000000000000000c.segment-",
            "0000000000000007.segment-000000000000000c.segment",
            "0000000000000001-0000000000000007-000000000000000c.segment", "-", "",
        ] {
            #expect(SegmentSpan(fileName: name) == nil, "\(name)")
        }
    }

    @Test func `extents are found where they were put`() throws {
        var random = SeededRandom(seed: 5)
        let base = LSN(rawValue: 9 << 16)
        var extents = SegmentExtents(from: base)
        var model: [UInt64: UInt64] = [:]
        var lsn = base.rawValue + 4096
        var offset: UInt64 = 4096
        for _ in 0..<2000 {
            lsn += random.next() % 3 * 8 * (random.next() % 1000)
            let length = 8 + random.next() % 500 * 8
            extents.append(LSN(rawValue: lsn), length: length)
            for word in stride(from: 0, to: length, by: 8) { model[lsn + word] = offset + word }
            lsn += length
            offset += length
        }
        #expect(extents.nextOffset == offset)
        var writer = ByteWriter()
        extents.encode(to: &writer)
        let again = try SegmentExtents(decoding: writer.bytes, from: base)
        for read in [extents, again] {
            #expect(read.count == extents.count)
            for lsn in stride(from: base.rawValue - 64, to: lsn + 64, by: 8) {
                #expect(read.offset(of: LSN(rawValue: lsn)) == model[lsn])
            }
        }
        for length in 0..<writer.bytes.count {
            _ = try? SegmentExtents(decoding: Array(writer.bytes[..<length]), from: base)
        }
    }
}
