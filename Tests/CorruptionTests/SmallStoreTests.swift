import DiskIO
import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing
import WriteAheadLog

/// A store of a few pages: a flipped bit costs what it is in, and is told with its place.
@Suite struct SmallStoreTests {
    let disk = SimulatedDisk(seed: 11)
    let clock = SimulatedClock(seed: 11)
    /// What `main` shows.
    private var pages: [[UInt8]] = []

    init() throws {
        let store = try DamagedStore.open(disk, clock)
        let main = try store.branch("main")
        var random = SeededRandom(test: 36)
        let pages = (0..<10).map { _ in random.bytes(512) }
        try main.commit { edit in
            for (number, page) in pages.enumerated() {
                try edit.write(page, page: PageNumber(UInt64(number)), of: DamagedStore.table)
            }
        }
        try store.fork("child", from: main)
        try store.createSnapshot("then", of: main.point(at: .head))
        self.pages = pages + [random.bytes(512)]
        try main.commit { try $0.write(self.pages[10], page: 10, of: DamagedStore.table) }
        try store.close()
    }

    private func flipped(_ bit: Int, of name: String) -> SimulatedDisk {
        let copy = disk.snapshot()
        copy.flip(bit: bit, of: name)
        return copy
    }

    @Test func `a bit of a page costs that page, and is told with all who show it`() throws {
        var found = 0
        for (file, at, record) in try disk.records() {
            for block in record.blocks where block.header.kind == .page {
                let start = at + Int(block.location.lsn.rawValue - record.lsn.rawValue)
                let bits = start * 8..<(start + Int(block.location.length)) * 8
                for bit in stride(from: bits.lowerBound, to: bits.upperBound, by: 509) {
                    let store = try DamagedStore.open(flipped(bit, of: file), clock)
                    let lost = try store.check().problems.filter { $0.object != nil }
                    try #require(lost.map(\.object) == [ObjectID(block.header.object)])
                    #expect(lost[0].page == PageNumber(block.header.page))
                    let old = block.header.page < 10
                    #expect(lost[0].branches == (old ? ["main", "child", "then"] : ["main"]))
                    for (number, page) in pages.enumerated() where number != block.header.page {
                        let read = try store.branch("main")
                            .read(page: PageNumber(UInt64(number)), of: DamagedStore.table)
                        #expect(read == page)
                    }
                    try store.close()
                    found += 1
                }
            }
        }
        #expect(found > 80)
    }

    @Test func `every bit is harmless, or told with its place`() throws {
        var random = SeededRandom(test: 37)
        var refused = 0
        for name in disk.names.filter({ $0.hasSuffix(".segment") }).sorted() {
            let bits = try #require(disk.length(of: name)) * 8
            for start in stride(from: 0, to: bits, by: BitFlipTests.isFull ? 1 : 997) {
                let bit = min(bits - 1, start + random.below(BitFlipTests.isFull ? 1 : 997))
                do {
                    let store = try DamagedStore.open(flipped(bit, of: name), clock)
                    let isSound = try store.check().isSound
                    for (number, page) in pages.enumerated() {
                        let read = try? store.branch("main")
                            .read(page: PageNumber(UInt64(number)), of: DamagedStore.table)
                        #expect(read == page || read == nil && !isSound, "bit \(bit) of \(name)")
                    }
                    try store.close()
                } catch let error as OxbowError {
                    let problem = try #require(error.problem, "bit \(bit): \(error)")
                    #expect(problem.file == name)
                    refused += 1
                }
            }
        }
        // The nodes of the last checkpoint, and its record, are still replayed.
        #expect(refused < 40)
    }

    @Test func `damage in what is replayed is told with the page and its branch`() throws {
        let disk = SimulatedDisk(seed: 12)
        let store = try DamagedStore.open(disk, clock)
        let main = try store.branch("main")
        let child = try store.fork("child", from: main)
        var random = SeededRandom(test: 38)
        try child.commit { edit in
            for number in 3...5 as ClosedRange<UInt64> {
                try edit.write(
                    random.bytes(512),
                    page: PageNumber(number),
                    of: DamagedStore.table
                )
            }
        }
        // It knows that the first one is durable.
        try main.commit {
            try $0.write(random.bytes(512), page: 9, of: DamagedStore.table)
        }
        let crashed = disk.snapshot()
        let records = try crashed.records().filter { $0.record.header.kind == .commit }
        let (file, at, record) = try #require(records.first)
        func problem(at offset: Int) throws -> CheckProblem {
            let copy = crashed.snapshot()
            copy.flip(bit: (at + offset) * 8 + 3, of: file)
            let error = #expect(throws: OxbowError.self) { try DamagedStore.open(copy, clock) }
            #expect(error?.kind == .damaged)
            let problem = try #require(error?.problem)
            #expect(problem.lsn == record.lsn && problem.file == file)
            return problem
        }
        #expect(record.blocks.count == 3)
        for block in record.blocks {
            let start = Int(block.location.lsn.rawValue - record.lsn.rawValue)
            let lost = try problem(at: start + BlockHeader.size + 100)
            #expect(lost.object == DamagedStore.table)
            #expect(lost.page == PageNumber(block.header.page))
            #expect(lost.branches == ["child"])
            // Nothing says then which page it was.
            let unknown = try problem(at: start + 24)
            #expect(unknown.page == nil && unknown.branches == ["child"])
        }
        let whole = try problem(at: 16)
        #expect(whole.page == nil && whole.branches == [])
        try store.close()
    }
}
