import DiskIO
import Oxbow
import TestSupport
import Testing

/// The walk over a log that is not opened: it tells what is there, whatever is there.
@Suite struct LogDumpTests {
    /// A disk with a store that was closed: several segments, and one of them rewritten.
    static func disk(reclaimed: Bool = true) throws -> MemoryDisk {
        let disk = MemoryDisk(limit: 64 << 20)
        var numbers = SeededRandom(seed: 7)
        let entropy = Entropy { numbers.next() }
        let store = try Store.open(disk, SystemClock(), ReclaimTests.options(), entropy: entropy)
        let main = try store.branch("main")
        for round in 0..<60 {
            try main.commit { edit in
                for page in 0..<12 {
                    let number = PageNumber(UInt64(round % 5 == 0 ? 100 + round + page : page))
                    try edit.write(
                        ReclaimTests.page(round * 100 + page),
                        page: number,
                        of: ObjectID(1)
                    )
                }
                try edit.delete(page: 5000, of: ObjectID(2))
                try edit.delete(pages: 10, upTo: 20, of: ObjectID(3))
            }
        }
        try store.fork("side", from: main, by: Author("alice", labels: ["k": "v"]))
        if reclaimed {
            try store.setWindow(.zero, bytes: 0)
            try store.reclaim()
        }
        try store.close()
        return disk
    }

    static func items(_ disk: any Disk, from start: LSN = .zero) throws -> [LogDump.Item] {
        var items: [LogDump.Item] = []
        try LogDump(disk).walk(from: start) { item in
            items.append(item)
            return true
        }
        return items
    }

    static func records(_ items: [LogDump.Item]) -> [LogDump.Record] {
        items.compactMap { if case .record(let record) = $0 { record } else { nil } }
    }

    static func isDamage(_ item: LogDump.Item) -> Bool {
        if case .damage = item { return true }
        return false
    }

    @Test func `every record is told, in order`() throws {
        let disk = try Self.disk(reclaimed: false)
        let items = try Self.items(disk)
        #expect(!items.contains(where: Self.isDamage))
        let records = Self.records(items)
        #expect(records.map(\.lsn) == records.map(\.lsn).sorted())
        let commits = records.filter { $0.kind == "commit" }
        #expect(commits.count == 60)
        #expect(commits[0].blocks.filter { $0.kind == .page }.count == 12)
        #expect(commits[0].blocks.contains { $0.kind == .deletion && $0.page == 5000 })
        #expect(commits[0].blocks.contains { $0.kind == .range && $0.page == 10 && $0.upTo == 20 })
        let side = try #require(records.last { $0.kind == "lifecycle" })
        #expect(side.content.contains { $0.name == "name" && $0.value == "side" })
        #expect(side.author == Author("alice", labels: ["k": "v"]))
        let later = try Self.items(disk, from: commits[30].lsn)
        #expect(Self.records(later) == records.filter { $0.lsn >= commits[30].lsn })
        guard case .end(let end)? = items.last else {
            Issue.record("the walk does not end")
            return
        }
        #expect(end > (records.last?.lsn ?? .zero))
    }

    @Test func `a rewritten segment tells the blocks that it kept`() throws {
        let items = try Self.items(Self.disk())
        #expect(!items.contains(where: Self.isDamage))
        let kept: [LogDump.Block] = items.flatMap { item -> [LogDump.Block] in
            if case .kept(let blocks) = item { return blocks }
            return []
        }
        let pages = kept.filter { $0.kind == .page && $0.object == 1 }
        #expect(pages.contains { $0.page >= 100 })
    }

    @Test func `the walk stops when told`() throws {
        var count = 0
        try LogDump(Self.disk()).walk { _ in
            count += 1
            return count < 5
        }
        #expect(count == 5)
    }

    /// A disk with the same files, one of which somebody may change.
    private func copy(
        _ disk: MemoryDisk,
        changing: String? = nil,
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> MemoryDisk {
        let copy = MemoryDisk(limit: 128 << 20)
        for name in try disk.list() {
            let file = try disk.open(name)
            var bytes = try file.read(Int(try file.length()), at: 0)
            if name == changing { change(&bytes) }
            try copy.create(name).write(bytes, at: 0)
        }
        return copy
    }

    @Test(arguments: 0..<200)
    func `whatever happens to a file, the walk goes on in the others`(round: Int) throws {
        var random = SeededRandom(test: UInt64(900 + round))
        let disk = try Self.shared.get()
        let name = try #require(try disk.list().sorted().randomElement(using: &random))
        let damaged = try copy(disk, changing: name) { Self.damage(&$0, &random) }
        let items: [LogDump.Item]
        do { items = try Self.items(damaged) } catch let error as OxbowError {
            // Only where nothing says how long a page is.
            #expect(error.kind == .damaged)
            return
        }
        guard case .end? = items.last else {
            Issue.record("the walk does not end")
            return
        }
        func outside(_ items: [LogDump.Item]) -> [LogDump.Record] {
            var here = ""
            return items.compactMap { item in
                if case .segment(let segment) = item { here = segment.file }
                if case .record(let record) = item, here != name { return record }
                return nil
            }
        }
        #expect(outside(items) == outside(try Self.items(disk)))
    }

    static let shared = Result { try disk() }

    /// Flips bits, writes garbage, cuts off or empties, as often in the front as anywhere.
    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else { return }
        let reach = random.oneIn(2) ? bytes.count : min(bytes.count, 8192)
        let place = random.below(reach)
        switch random.below(5) {
        case 0: bytes[place] ^= UInt8(1 << random.below(8))
        case 1:
            for index in place..<min(bytes.count, place + 64) {
                bytes[index] = UInt8(truncatingIfNeeded: random.next())
            }
        case 2: bytes.removeLast(bytes.count - place)
        case 3: for index in bytes.indices { bytes[index] = 0 }
        default: bytes = random.bytes(bytes.count)
        }
    }

    @Test func `a lost superblock does not keep the log from being read`() throws {
        let disk = try copy(try Self.disk(reclaimed: false))
        try disk.remove("superblock")
        let dump = try LogDump(disk)
        #expect(dump.faults.count == 1)
        #expect(dump.faults.first?.file == "superblock")
        #expect(Self.records(try Self.items(disk)).count { $0.kind == "commit" } == 60)
    }

    @Test func `a folder of garbage is damaged, an empty one no store`() throws {
        let disk = MemoryDisk(limit: 1 << 20)
        var error = #expect(throws: OxbowError.self) { try LogDump(disk) }
        #expect(error?.kind == .notFound)
        var random = SeededRandom(test: 1)
        for name in ["0000000000000000.segment", "ffffffffffffffff.segment", "superblock"] {
            try disk.create(name).write(random.bytes(5000), at: 0)
        }
        error = #expect(throws: OxbowError.self) { try LogDump(disk) }
        #expect(error?.kind == .damaged)
    }
}
