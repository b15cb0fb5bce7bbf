import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// How much of the past reclaim leaves: all that the windows cover, and nothing in between that is
/// not what it was.
@Suite struct RetentionTests {
    static let pageCount = 60

    /// A store with a history of a commit each second and a checkpoint every ten, and what its
    /// main branch showed after each.
    struct Past {
        var test: TestStore
        var shown: [(commit: Commit, pages: [Int: Int], point: Point)] = []
        var pages: [Int: Int] = [:]
        /// After how many commits there was a checkpoint.
        var checkpoints: [Int] = []

        init(_ rounds: Int) throws {
            test = try TestStore()
            for page in 0..<RetentionTests.pageCount { pages[page] = page + 1 }
            try test.store.branch("main").write(pages)
            try go(on: rounds)
        }

        mutating func go(on rounds: Int) throws {
            let main = try test.store.branch("main")
            for _ in 0..<rounds {
                let round = shown.count + 1
                var changed: [Int: Int] = [:]
                for step in 0..<8 {
                    let page = (round * 7 + step * 3) % RetentionTests.pageCount
                    changed[page] = round * 100 + page
                }
                pages.merge(changed) { $1 }
                let commit = try main.write(changed)
                shown.append((commit, pages, try main.point(at: .head)))
                test.clock.advance(by: .seconds(1))
                if round % 10 == 0 {
                    try test.store.checkpoint()
                    checkpoints.append(shown.count)
                }
                while try test.store.step() {}
            }
        }

        /// How many of a stretch of what was shown are still to be had; all that are must be right.
        func readable(_ range: Range<Int>) throws -> [Int] {
            let main = try test.store.branch("main")
            return try range.filter { index in
                let (commit, pages, known) = shown[index]
                // A point that was found when more was kept shows what it did, or nothing.
                let isKnownMissing = kind {
                    let difference = try main.view(at: known).difference(from: pages)
                    #expect(difference == nil, "commit \(index)")
                }
                #expect(isKnownMissing == nil || isKnownMissing == .notFound)
                let missing = kind {
                    let point = try main.point(at: .lsn(commit.lsn))
                    if point.lsn != commit.lsn { throw Gone() }
                    let difference = try main.view(at: point).difference(from: pages)
                    #expect(difference == nil, "commit \(index)")
                }
                #expect(missing == nil || missing == .notFound, "commit \(index): \(missing)")
                if missing == .notFound { return false }
                return try main.point(at: .lsn(commit.lsn)).lsn == commit.lsn
            }
        }

        struct Gone: Error {}
    }

    @Test func `what a window of time covers stays, record by record`() throws {
        var past = try Past(200)
        try past.test.store.setWindow(.seconds(60), bytes: 1 << 30)
        for isReopened in [false, true] {
            let report = try past.test.store.reclaim()
            if !isReopened {
                #expect(report.removedSegments + report.rewrittenSegments > 3)
                #expect(report.historyFrom > past.shown[100].commit.lsn)
            }
            if isReopened { try past.test.reopen() }
            // A little less than the window, since each step lets time pass.
            #expect(try past.readable(142..<200).count == 58)
            #expect(try past.readable(0..<110).isEmpty)
            #expect(try past.test.store.check().problems == [])
        }
        try past.test.crash()
        #expect(try past.readable(142..<200).count == 58)
    }

    @Test func `of what only the second half of the bytes covers, checkpoints stay`() throws {
        var past = try Past(200)
        try past.test.store.setWindow(.seconds(86_400), bytes: 500_000)
        let report = try past.test.store.reclaim()
        let sparse = past.shown.indices.filter {
            let lsn = past.shown[$0].commit.lsn
            return lsn >= report.historyFrom && lsn < report.denseFrom
        }
        let dense = past.shown.indices.filter { past.shown[$0].commit.lsn >= report.denseFrom }
        try #require(sparse.count > 30)
        try #require(dense.count > 20)
        for isReopened in [false, true] {
            if isReopened { try past.test.reopen() }
            #expect(try past.readable(dense[0]..<200) == dense)
            let kept = past.checkpoints.map { $0 - 1 }.filter { sparse.contains($0) }
            try #require(kept.count >= 3)
            let found = try past.readable(sparse[0]..<sparse[sparse.count - 1] + 1)
            #expect(Set(found).isSuperset(of: kept))
            #expect(found.count < sparse.count)
            let main = try past.test.store.branch("main")
            let listed = try main.history(limit: 1000).map(\.lsn)
            #expect(try main.history(from: .oldest, limit: 1000).map(\.lsn) == listed.reversed())
            #expect(try past.test.store.check().problems == [])
        }
        try past.go(on: 60)
        try past.test.store.reclaim()
        try past.test.reopen()
        #expect(try past.readable(250..<260).count == 10)
        #expect(try past.test.store.check().problems == [])
    }

    @Test func `a branch whose window is longer keeps its history`() throws {
        var past = try Past(100)
        let main = try past.test.store.branch("main")
        try past.test.store.setWindow(.seconds(10), bytes: 0)
        try main.setWindow(.seconds(3600), bytes: 1 << 30)
        try past.test.store.reclaim()
        try past.test.reopen()
        #expect(try past.readable(0..<100).count == 100)
    }

    @Test func `where no branch asks for more, a shorter window counts`() throws {
        let past = try Past(100)
        let main = try past.test.store.branch("main")
        let other = try past.test.store.fork("other", from: main)
        try main.setWindow(.seconds(10), bytes: 1 << 30)
        try past.test.store.reclaim()
        // The other one has the store's window, of seven days.
        #expect(try past.readable(0..<100).count == 100)
        try other.delete()
        try past.test.store.reclaim()
        // As long as it can be undeleted.
        #expect(try past.readable(0..<100).count == 100)
        try past.test.store.setWindow(.seconds(10), bytes: 1 << 30)
        try past.test.store.reclaim()
        #expect(try past.readable(92..<100).count == 8)
        #expect(try past.readable(0..<60).isEmpty)
        #expect(try past.test.store.check().problems == [])
    }

    @Test func `views that are held show what they did, whatever reclaim frees`() throws {
        var past = try Past(30)
        let main = try past.test.store.branch("main")
        let views = try [4, 15, 29].map { index in
            (try main.view(at: past.shown[index].point), past.shown[index].pages)
        }
        // Of a branch that is gone.
        let branch = try past.test.store.fork("gone", from: main)
        try branch.write([3: 77_777])
        let gone = try branch.view()
        var pages = past.pages
        pages[3] = 77_777
        try branch.delete()
        try past.test.store.setWindow(.zero, bytes: 0)
        for _ in 0..<3 {
            try past.go(on: 30)
            try past.test.store.reclaim()
            for (view, pages) in views { #expect(try view.difference(from: pages) == nil) }
            #expect(try gone.difference(from: pages) == nil)
        }
        #expect(try past.readable(0..<30).isEmpty)
    }

    @Test func `a crash right after reclaim loses nothing that is kept`() throws {
        for seed in 0..<4 as Range<UInt64> {
            var past = try Past(120)
            try past.test.store.createSnapshot(
                "pinned",
                of: past.test.store.branch("main").point(at: .lsn(past.shown[20].commit.lsn))
            )
            try past.test.store.setWindow(.seconds(40), bytes: 1 << 30)
            #expect(try past.test.store.reclaim().rewrittenSegments > 0)
            try past.test.crash(CrashModel(seed % 2 == 0 ? .everythingLost : .drawn))
            #expect(try past.readable(82..<120).count == 38)
            let view = try past.test.store.branch("main")
                .view(at: past.test.store.point(snapshot: "pinned"))
            #expect(try view.difference(from: past.shown[20].pages) == nil)
            #expect(try past.test.store.check().problems == [])
        }
    }

    @Test func `a deleted branch can be undeleted while its death is in the window`() throws {
        var past = try Past(60)
        let branch = try past.test.store.fork("gone", from: past.test.store.branch("main"))
        try branch.write([3: 77_777])
        var pages = past.pages
        pages[3] = 77_777
        try past.go(on: 20)
        try branch.delete()
        try past.go(on: 60)
        try past.test.store.setWindow(.seconds(100), bytes: 1 << 30)
        #expect(try past.test.store.reclaim().historyFrom > past.shown[5].commit.lsn)
        try past.test.reopen()
        try past.test.store.undelete(branch.id)
        let back = try past.test.store.branch("gone")
        #expect(try back.view().difference(from: pages) == nil)
        try back.delete()
        try past.go(on: 200)
        try past.test.store.reclaim()
        #expect(kind { try past.test.store.undelete(branch.id) } == .notFound)
    }

    /// How a timeline ends, of which a program still has the last point.
    enum Ending: CaseIterable { case deletion, reset }

    @Test(arguments: Ending.allCases)
    func `a point that is kept for long is refused, not empty, once its pages are gone`(
        ending: Ending
    ) throws {
        var past = try Past(20)
        let store = past.test.store
        let main = try store.branch("main")
        let branch = try store.fork("other", from: main)
        let before = try branch.point(at: .head)
        try branch.write([3: 77_777])
        let last = try branch.point(at: .head)
        var pages = past.pages
        pages[3] = 77_777
        switch ending {
        case .deletion: try branch.delete()
        case .reset: try branch.reset(to: before)
        }
        let rescue = try store.fork("rescue", from: last)
        #expect(try rescue.difference(from: pages) == nil)
        try store.setWindow(.zero, bytes: 0)
        for _ in 0..<4 {
            try past.go(on: 200)
            try store.checkpoint()
            try store.reclaim()
        }
        #expect(kind { _ = try main.view(at: last) } == .notFound)
        #expect(kind { try store.fork("late", from: last) } == .notFound)
        #expect(kind { try store.createSnapshot("late", of: last) } == .notFound)
        #expect(kind { try rescue.reset(to: last) } == .notFound)
        #expect(try rescue.difference(from: pages) == nil)
    }

    @Test func `what a large commit has in the log already survives reclaim beside it`() throws {
        var past = try Past(40)
        try past.test.store.setWindow(.zero, bytes: 0)
        let main = try past.test.store.branch("main")
        let other = try past.test.store.fork("other", from: main)
        var pages: [Int: Int] = [:]
        try other.commit { edit in
            for page in 1000..<1400 { pages[page] = page }
            try edit.write(pages)
            for _ in 0..<2 {
                try past.go(on: 30)
                try past.test.store.reclaim()
            }
        }
        #expect(try other.difference(from: pages) == nil)
        try past.test.reopen()
        #expect(try past.test.store.branch("other").difference(from: pages) == nil)
        #expect(try past.test.store.check().problems == [])
    }

    @Test func `what only a large commit's own root reaches survives reclaim`() throws {
        var past = try Past(20)
        let main = try past.test.store.branch("main")
        let other = try past.test.store.fork("other", from: main)
        var pages = past.pages
        let large = try other.commit { edit in
            for page in 1000..<1400 { pages[page] = page }
            try edit.write(pages)
            // The checkpoint comes between the pieces and the record that points at them.
            try past.go(on: 40)
        }
        let point = try other.point(at: .lsn(large.lsn))
        #expect(point.lsn == large.lsn)
        // Written over before the next checkpoint, so that no checkpoint ever shows them.
        for start in stride(from: 1000, to: 1400, by: 40) {
            try other.write(
                Dictionary(uniqueKeysWithValues: (start..<start + 40).map { ($0, 1) })
            )
        }
        past.test.clock.advance(by: .seconds(1))
        try past.go(on: 30)
        try past.test.store.setWindow(.seconds(35), bytes: 1 << 30)
        let report = try past.test.store.reclaim()
        try #require(report.denseFrom <= large.lsn)
        #expect(report.removedSegments + report.rewrittenSegments > 0)
        try past.test.reopen()
        let again = try past.test.store.branch("other")
        #expect(try again.view(at: point).difference(from: pages) == nil)
    }

    @Test func `what a branch began with survives reclaim though it was written over`() throws {
        var past = try Past(60)
        let main = try past.test.store.branch("main")
        try past.test.store.checkpoint()
        let old = try main.point(at: .lsn(past.shown[24].commit.lsn))
        let branch = try past.test.store.fork("rescue", from: old)
        let birth = try branch.point(at: .head)
        try branch.write(Dictionary(uniqueKeysWithValues: past.pages.keys.map { ($0, 5) }))
        past.test.clock.advance(by: .seconds(1))
        try past.go(on: 30)
        try past.test.store.setWindow(.seconds(33), bytes: 1 << 30)
        let report = try past.test.store.reclaim()
        try #require(report.denseFrom <= birth.lsn)
        #expect(report.historyFrom > old.lsn)
        try past.test.reopen()
        let again = try past.test.store.branch("rescue")
        let pages = past.shown[24].pages
        #expect(try again.view(at: birth).difference(from: pages) == nil)
    }
}
