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
}
