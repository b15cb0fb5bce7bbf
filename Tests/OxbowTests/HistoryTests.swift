import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing

/// All that branches ever showed can be asked for, by position and by time, and is what it was:
/// through forks, resets, large commits and range deletions.
@Suite struct HistoryTests {
    /// A record, what was shown after it, and the one before it on its timeline or its parent's.
    final class Line {
        let lsn: LSN
        let time: LogTime
        let isCommit: Bool
        let pages: [Int: Int]
        let previous: Line?

        init(_ lsn: LSN, _ time: LogTime, _ pages: [Int: Int], _ previous: Line?, isCommit: Bool) {
            self.lsn = lsn
            self.time = time
            self.isCommit = isCommit
            self.pages = pages
            self.previous = previous
        }

        /// All that a branch showed which was forked here.
        var ancestry: [Line] { (previous?.ancestry ?? []) + [self] }
    }

    struct Model {
        /// What each branch showed, record by record, resets included.
        var branches: [(name: String, shown: [Line])] = []
        var content = 0

        mutating func next() -> Int {
            content += 1
            return content
        }

        /// A branch that was forked after a record.
        mutating func add(_ made: BranchInfo, after line: Line) {
            let birth = Line(made.head.lsn, made.created, line.pages, line, isCommit: false)
            branches.append((made.name, birth.ancestry))
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `everything that was shown can be shown again`(seed: UInt64) throws {
        var options = TestStore.options
        options.checkpointChanges = 100
        var test = try TestStore(seed: seed, options)
        var random = SeededRandom(test: 900 + seed)
        let main = try test.store.branch("main").info()
        var model = Model()
        model.branches = [
            ("main", [Line(main.head.lsn, main.created, [:], nil, isCommit: false)])
        ]
        for round in 1...250 {
            try change(test.store, &model, &random)
            if random.oneIn(4) { try test.store.step() }
            test.clock.advance(by: .milliseconds(random.below(50)))
            if round % 125 == 0 {
                try test.store.sync()
                try compare(test.store, model)
                if round == 125 { try test.crash() } else { try test.reopen() }
                try compare(test.store, model)
            }
        }
        #expect(try test.store.check().problems == [])
    }

    private func change(
        _ store: Store,
        _ model: inout Model,
        _ random: inout SeededRandom
    ) throws {
        let place = random.below(model.branches.count)
        let shown = model.branches[place].shown
        let branch = try store.branch(model.branches[place].name)
        let name = "b\(model.branches.count)"
        let hasRoom = model.branches.count < 24
        switch random.below(20) {
        case 0 where hasRoom, 1 where hasRoom:
            try model.add(store.fork(name, from: branch).info(), after: shown[shown.count - 1])
        case 2 where hasRoom:
            let line = shown[random.below(shown.count)]
            let point = try branch.point(at: .lsn(line.lsn))
            try model.add(store.fork(name, from: point).info(), after: line)
        case 3:
            let target = shown[random.below(shown.count)]
            try branch.reset(to: branch.point(at: .time(target.time)))
            let head = try branch.info().head
            model.branches[place].shown.append(
                Line(head.lsn, head.time, target.pages, target, isCommit: false)
            )
        case let kind:
            model.branches[place].shown.append(
                try commit(branch, shown[shown.count - 1], isLarge: kind == 4, &model, &random)
            )
        }
    }

    private func commit(
        _ branch: Branch,
        _ before: Line,
        isLarge: Bool,
        _ model: inout Model,
        _ random: inout SeededRandom
    ) throws -> Line {
        var pages = before.pages
        let commit = try branch.commit(.buffered) { edit in
            for _ in 0..<(isLarge ? 70 : 1 + random.below(4)) {
                if random.oneIn(6) {
                    let start = random.below(300)
                    let range = start..<start + 1 + random.below(40)
                    try edit.delete(range)
                    for page in range { pages[page] = nil }
                } else {
                    let (page, content) = (random.below(300), model.next())
                    try edit.write([page: content])
                    pages[page] = content
                }
            }
        }
        return Line(commit.lsn, commit.time, pages, before, isCommit: true)
    }

    private func compare(_ store: Store, _ model: Model) throws {
        for (name, shown) in model.branches {
            let branch = try store.branch(name)
            let newest = try branch.history(limit: 10_000)
            #expect(newest.map(\.lsn) == shown.map(\.lsn).reversed(), "\(name)")
            let oldest = try branch.history(from: .oldest, limit: 10_000)
            #expect(oldest.map(\.lsn) == shown.map(\.lsn), "\(name)")
            #expect(oldest.map { $0.kind == .commit } == shown.map(\.isCommit), "\(name)")
            for (index, record) in shown.enumerated() {
                let next = index + 1 < shown.count ? shown[index + 1].lsn : nil
                for moment in [Moment.lsn(record.lsn), .time(record.time)] {
                    let point = try branch.point(at: moment)
                    try #require(point.lsn == record.lsn, "\(name) at \(moment)")
                    try #require(point.next?.lsn == next, "\(name) at \(moment)")
                }
                // Views of all would take long; of a third of them nothing escapes.
                guard index % 3 == 0 || index + 1 == shown.count else { continue }
                let view = try branch.view(at: branch.point(at: .lsn(record.lsn)))
                let difference = try view.difference(from: record.pages)
                try #require(difference == nil, "\(name) at \(record.lsn)")
            }
        }
    }
}
