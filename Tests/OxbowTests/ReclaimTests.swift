import Oxbow
import Testing

@Suite struct ReclaimTests {
    static func options() -> StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.pageSize = 1024
        options.segmentBits = 18
        options.checkpointChanges = 256
        return options
    }

    /// A page that does not compress.
    static func page(_ seed: Int) -> [UInt8] {
        var random = SeededRandom(seed: UInt64(seed))
        return (0..<1024).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    @Test func `what branches and views show survives reclaim, and the rest is given back`() throws
    {
        let store = try Store.temporary(limit: 64 << 20, Self.options())
        let main = try store.branch("main")
        let table = ObjectID(1)
        try main.commit { edit in
            for page in 0..<200 {
                try edit.write(Self.page(page), page: PageNumber(UInt64(page)), of: table)
            }
        }
        let child = try store.fork("child", from: main)
        let old = try main.view()
        try store.createSnapshot("pinned", of: main.point(at: .head))
        for round in 1..<20 {
            for start in stride(from: 0, to: 200, by: 20) {
                try main.commit(.buffered) { edit in
                    for page in start..<start + 20 {
                        try edit.write(
                            Self.page(round * 1000 + page),
                            page: PageNumber(UInt64(page)),
                            of: table
                        )
                    }
                }
                try store.step()
            }
        }
        try store.setWindow(.zero, bytes: 0)
        let report = try store.reclaim()
        #expect(report.removedSegments + report.rewrittenSegments > 5)
        #expect(report.freedBytes > 2 << 20)
        for page in 0..<200 {
            let number = PageNumber(UInt64(page))
            #expect(try main.read(page: number, of: table) == Self.page(19_000 + page))
            #expect(try child.read(page: number, of: table) == Self.page(page))
            #expect(try old.read(page: number, of: table) == Self.page(page))
        }
        let pinned = try store.point(snapshot: "pinned")
        #expect(try main.view(at: pinned).read(page: 7, of: table) == Self.page(7))
        try child.delete()
        try store.deleteSnapshot("pinned")
        try withExtendedLifetime(old) { _ = try store.reclaim() }
        #expect(try old.read(page: 8, of: table) == Self.page(8))
        let second = try store.reclaim()
        #expect(try main.read(page: 199, of: table) == Self.page(19_199))
        _ = second
    }

    @Test func `history within the window stays, also from before the first checkpoint`() throws {
        let store = try Store.temporary(limit: 64 << 20, Self.options())
        let main = try store.branch("main")
        var points: [Point] = []
        for round in 0..<6 {
            try main.commit { try $0.write(Self.page(round), page: 0, of: ObjectID(1)) }
            points.append(try main.point(at: .head))
            if round == 3 { try store.checkpoint() }
        }
        for _ in 0..<3 { try store.reclaim() }
        #expect(try main.history().count == 7)
        for (round, point) in points.enumerated() {
            let found = try main.point(at: .time(point.time))
            #expect(found.lsn == point.lsn)
            let page = try main.view(at: found).read(page: 0, of: ObjectID(1))
            #expect(page == Self.page(round))
        }
    }

    @Test func `a deletion that stands before a live page is not taken for it`() throws {
        let store = try Store.temporary(limit: 64 << 20, Self.options())
        let main = try store.branch("main")
        for round in 0..<300 {
            try main.commit(.buffered) { edit in
                // A deletion takes 56 bytes, so the page after it moves through all places.
                for page in 0..<round % 9 {
                    try edit.delete(page: PageNumber(UInt64(page)), of: ObjectID(1))
                }
                try edit.write(Self.page(round), page: PageNumber(UInt64(round)), of: ObjectID(2))
                for page in 0..<3 {
                    try edit.write(
                        Self.page(1000 + round * 3 + page),
                        page: PageNumber(UInt64(page)),
                        of: ObjectID(3)
                    )
                }
            }
        }
        try store.setWindow(.zero, bytes: 0)
        #expect(try store.reclaim().rewrittenSegments > 0)
        #expect(try store.check().problems == [])
    }

    @Test func `what a deleted branch held is given back at once without a window`() throws {
        let store = try Store.temporary(limit: 64 << 20, Self.options())
        let main = try store.branch("main")
        let other = try store.fork("other", from: main)
        try store.setWindow(.zero, bytes: 0)
        // So large that it carries a root of its own.
        try main.commit { edit in
            for page in 0..<4000 {
                try edit.write(Self.page(page), page: PageNumber(UInt64(page)), of: ObjectID(1))
            }
        }
        try main.delete()
        for _ in 0..<2 {
            try other.commit { edit in
                try edit.write(Self.page(1), page: 0, of: ObjectID(1))
            }
            try store.reclaim()
        }
        #expect(try store.usage().diskBytes < 1 << 20)
    }

    @Test func `what is nearly dead takes little, also in memory`() throws {
        var options = StoreOptions()
        options.upkeep = .manual
        options.window = .zero
        options.windowBytes = 0
        // Segments of 64 KiB.
        let store = try Store.temporary(limit: 2 << 20, options)
        let main = try store.branch("main")
        var content = [UInt8](repeating: 0, count: 8192)
        for round in 0..<100 {
            content[0] = UInt8(round)
            let page = PageNumber(UInt64(round))
            try main.commit { try $0.write(content, page: page, of: ObjectID(1)) }
            for step in 0..<8 {
                let changing = (0..<8).flatMap { Self.page(round * 100 + step * 8 + $0) }
                try main.commit(.buffered) { try $0.write(changing, page: 0, of: ObjectID(2)) }
            }
            try store.reclaim()
        }
        for _ in 0..<2 { try store.reclaim() }
        let usage = try store.usage()
        // A segment takes 8 KiB more than what is live in it, and the last ones are whole.
        #expect(usage.diskBytes < usage.liveBytes + UInt64(usage.segments) * 8192 + 4 << 16)
        #expect(try main.read(page: 42, of: ObjectID(1))[0] == 42)
        #expect(try store.check().problems == [])
    }
}
