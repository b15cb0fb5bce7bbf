import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing

/// What is told of the time for which only checkpoints are kept: the same from both ends, and every
/// record that is named can be asked for.
@Suite struct ThinHistoryTests {
    private static func lsns(_ entries: [HistoryEntry]) -> [LSN] { entries.map(\.lsn) }

    /// The record that an error names as the earliest.
    private func earliest(_ branch: Branch) throws -> LSN? {
        do { _ = try branch.point(at: .lsn(LSN(rawValue: 1))) } catch {
            let name = try #require(error.message.split(separator: "(").last?.dropLast())
            return LSN(String(name))
        }
        return nil
    }

    /// Compares all ways to ask for a branch's history.
    private func compare(_ branch: Branch, _ random: inout SeededRandom) throws {
        let newest = try Self.lsns(branch.history(limit: 10_000))
        let oldest = try Self.lsns(branch.history(from: .oldest, limit: 10_000))
        #expect(newest.reversed() == oldest)
        #expect(oldest.last == (try branch.info().head.lsn))
        #expect(try earliest(branch) == oldest.first)
        for (place, lsn) in oldest.enumerated() {
            let point = try branch.point(at: .lsn(lsn))
            #expect(point.lsn == lsn)
            #expect(try branch.point(at: .time(point.time)).lsn == lsn)
            let next = place + 1 < oldest.count ? oldest[place + 1] : nil
            #expect(point.next?.lsn == next)
            let between = LSN(rawValue: lsn.rawValue + 1)
            if next.map({ between < $0 }) ?? true {
                #expect(try branch.point(at: .lsn(between)).lsn == lsn)
            }
            _ = try branch.view(at: point)
        }
        for _ in 0..<6 {
            let last = try #require(oldest.last)
            let cursor = LSN(rawValue: random.next() % (last.rawValue + 100))
            let later = try branch.history(from: .oldest, after: cursor, limit: 3)
            #expect(Self.lsns(later) == oldest.filter { $0 > cursor }.prefix(3).map(\.self))
            let earlier = try branch.history(after: cursor, limit: 3)
            #expect(Self.lsns(earlier) == newest.filter { $0 < cursor }.prefix(3).map(\.self))
        }
    }

    @Test func `what precedes the first checkpoint is no record of thinned history`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        for round in 0..<14 {
            try main.write([1: round * 2 + 1, 2: round * 2 + 2, 3: round + 100])
            if round % 2 == 1 { try test.store.checkpoint() }
        }
        // All of the log is within the bytes, and not within half of them.
        let end = test.store.durableLSN.rawValue
        try test.store.setWindow(.seconds(1 << 30), bytes: end * 3 / 2)
        try test.store.reclaim()
        let kept = test.store.keptHistory
        try #require(kept.from == .zero && kept.denseFrom > .zero)
        var random = SeededRandom(test: 1)
        try compare(main, &random)
    }

    @Test func `before a reset in thinned history is what is kept before it`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        var commits: [LSN] = []
        for round in 0..<24 {
            commits.append(try main.write([1: round * 2 + 1, 2: round * 2 + 2, 3: 100]).lsn)
            if round % 2 == 1 { try test.store.checkpoint() }
            if round == 3 { try main.reset(to: main.point(at: .lsn(commits[1]))) }
        }
        let end = test.store.durableLSN.rawValue
        try test.store.setWindow(.seconds(1 << 30), bytes: end)
        try test.store.reclaim()
        let kept = test.store.keptHistory
        try #require(kept.from < commits[2] && kept.denseFrom > commits[6])
        #expect(try main.point(at: .lsn(commits[4])).lsn == commits[3])
        #expect(Self.lsns(try main.history()).contains(commits[1]))
        var random = SeededRandom(test: 2)
        try compare(main, &random)
    }

    @Test func `a list goes on after a cursor that has left history`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try test.store.setWindow(.zero, bytes: 0)
        for round in 0..<14 {
            try main.write([1: round + 1])
            if round % 2 == 1 { try test.store.checkpoint() }
        }
        let cursor = try #require(try main.history(from: .oldest, limit: 3).last).lsn
        try test.store.reclaim()
        let all = try main.history(from: .oldest)
        #expect(all.first.map { $0.lsn > cursor } == true)
        #expect(try main.history(from: .oldest, after: cursor) == all)
        #expect(try main.history(from: .oldest, after: .zero) == all)
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `thinned history is the same from both ends`(seed: UInt64) throws {
        var random = SeededRandom(test: 300 + seed)
        var options = TestStore.options
        options.windowBytes = UInt64(random.below(120_000))
        let test = try TestStore(seed: seed, options)
        var branches = [try test.store.branch("main")]
        for round in 0..<160 {
            let branch = branches[random.below(branches.count)]
            switch random.below(16) {
            case 0 where branches.count < 8:
                branches.append(try test.store.fork("b\(round)", from: branch))
            case 1 where branches.count < 8:
                let history = try branch.history(limit: 12)
                let past = history[random.below(history.count)].lsn
                let point = try branch.point(at: .lsn(past))
                branches.append(try test.store.fork("b\(round)", from: point))
            case 2:
                let history = try branch.history(limit: 12)
                let past = history[random.below(history.count)].lsn
                try branch.reset(to: branch.point(at: .lsn(past)))
            case 3, 4: try test.store.checkpoint()
            case 5: if random.oneIn(3) { try test.store.reclaim() }
            default:
                try branch.write([random.below(30): round * 2 + 1, 30: round * 2 + 2])
            }
            test.clock.advance(by: .milliseconds(10))
        }
        for _ in 0..<2 {
            for branch in branches { try compare(branch, &random) }
            try test.store.reclaim()
        }
        #expect(try test.store.check().problems == [])
    }

    @Test func `a snapshot's point knows the record after it`() throws {
        let test = try TestStore()
        let main = try test.store.branch("main")
        try main.write([1: 1])
        try test.store.createSnapshot("snap", of: main.point(at: .head))
        #expect(try main.point(at: .snapshot("snap")).next == nil)
        let commit = try main.write([1: 2])
        #expect(try main.point(at: .snapshot("snap")).next?.lsn == commit.lsn)
        // Also where the branch was put back since.
        try main.reset(to: main.point(at: .snapshot("snap")))
        #expect(try main.point(at: .snapshot("snap")).next?.lsn == commit.lsn)
        try main.delete()
        #expect(try test.store.point(snapshot: "snap").next?.lsn == commit.lsn)
    }
}
