import Oxbow
import Simulation
import Testing
import WriteAheadLog

@Suite struct CheckTests {
    @Test func `a sound store checks as sound, and everything in it was read`() throws {
        let store = try Store.temporary(limit: 64 << 20, ReclaimTests.options())
        let main = try store.branch("main")
        for round in 0..<40 {
            try main.commit(.buffered) { edit in
                for page in 0..<20 {
                    try edit.write(
                        ReclaimTests.page(round * 100 + page),
                        page: PageNumber(UInt64((round * 7 + page) % 150)),
                        of: ObjectID(1)
                    )
                }
            }
            try store.fork("b\(round)", from: main)
            try store.step()
        }
        let report = try store.check()
        #expect(report.problems == [])
        #expect(report.pages >= 800)
        #expect(report.records > 80)
        #expect(report.nodes > 10)
    }

    @Test func `a segment with nodes of the catalog is missing, and the check goes on`() throws {
        let disk = SimulatedDisk(seed: 7)
        let written = try TestStore.open(disk, SimulatedClock(seed: 7))
        // All of it is history, so each segment stays.
        try written.setWindow(.seconds(1 << 20), bytes: 1 << 40)
        let main = try written.branch("main")
        for round in 0..<10 {
            for part in 0..<20 {
                try written.fork("b\(round * 20 + part)", from: main)
                try main.write([round * 20 + part: round + 1, 900 + part: round + 2])
            }
            try written.checkpoint()
        }
        try written.close()
        var told = 0
        for name in disk.names.filter({ $0.hasSuffix(".segment") }).sorted() {
            let copy = disk.snapshot()
            try copy.remove(name)
            guard let store = try? TestStore.open(copy, SimulatedClock(seed: 7)) else { continue }
            let report = try store.check()
            let span = try #require(SegmentSpan(fileName: name))
            #expect(
                report.problems.contains { problem in
                    SegmentNumber(fileName: problem.file).map(span.contains) ?? false
                }
            )
            #expect(report.records > 0, "\(name)")
            told += 1
        }
        #expect(told > 2)
    }

    @Test func `usage says what each branch holds alone`() throws {
        let store = try Store.temporary(limit: 64 << 20, ReclaimTests.options())
        let main = try store.branch("main")
        try main.commit { edit in
            for page in 0..<100 {
                try edit.write(
                    ReclaimTests.page(page),
                    page: PageNumber(UInt64(page)),
                    of: ObjectID(1)
                )
            }
        }
        let child = try store.fork("child", from: main)
        var usage = try store.usage()
        #expect(usage.branches.map(\.name) == ["main", "child"])
        #expect(usage.branches.map(\.aloneBytes) == [0, 0])
        #expect(usage.branches[0].reachableBytes == usage.branches[1].reachableBytes)
        #expect(usage.liveBytes == usage.branches[0].reachableBytes)
        try child.commit { edit in
            for page in 0..<10 {
                try edit.write(
                    ReclaimTests.page(1000 + page),
                    page: PageNumber(UInt64(page)),
                    of: ObjectID(1)
                )
            }
        }
        usage = try store.usage()
        let pageBytes: UInt64 = 1024 + 56
        // Ten pages, and the node or nodes that lead to them.
        #expect(usage.branches[1].aloneBytes > 10 * pageBytes)
        #expect(usage.branches[1].aloneBytes < 14 * pageBytes + 4096)
        #expect(usage.branches[0].aloneBytes >= 10 * pageBytes)
        try main.delete()
        #expect(try store.usage().branches.first?.aloneBytes == store.usage().liveBytes)
    }
}
