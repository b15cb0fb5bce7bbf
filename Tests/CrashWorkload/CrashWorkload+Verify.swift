package import Oxbow

extension CrashWorkload {
    /// What a crash did to a store that it must not do.
    package enum Harm: Sendable, CustomStringConvertible {
        /// Something acknowledged as durable is not there.
        case lost(String)
        /// Something is there that is not what was written.
        case damaged(String)

        package var description: String {
            switch self {
            case .lost(let what): "lost: \(what)"
            case .damaged(let what): "damaged: \(what)"
            }
        }
    }

    /// Holds a store against the promises: all that was acknowledged as durable is there, every
    /// commit whole or not at all, and every branch as it was forked. Says what is wrong.
    package static func verify(_ store: Store, acknowledged: Int) throws -> Harm? {
        let main = try store.branch("main")
        let count = try count(main)
        if count < acknowledged {
            return .lost("\(acknowledged) commits were durable, \(count) are there")
        }
        // Without this a counter that was never written would be counted up to.
        guard count >= 0, try main.read(page: 0, of: table) == page(count, 0) else {
            return .damaged("the counter says \(count), and is not what that commit wrote")
        }
        var names = Set(try store.branches().map(\.name))
        names.remove("main")
        var expected = ExpectedPages()
        for index in stride(from: 8, through: count, by: 8) {
            let name = "b\(index)"
            guard names.remove(name) != nil else {
                if index < acknowledged {
                    return .lost("branch \(name) was durable and is not there")
                }
                continue
            }
            expected.advance(to: index)
            if let wrong = try expected.difference(from: store.branch(name)) {
                return .damaged("\(name): \(wrong)")
            }
        }
        if let name = names.min() {
            return .damaged("branch \(name) is there, and nothing of it after \(count) commits")
        }
        expected.advance(to: count)
        if let wrong = try expected.difference(from: main) { return .damaged("main: \(wrong)") }
        let report = try store.check()
        return report.isSound ? nil : .damaged("the check found: \(report.problems[0])")
    }
}

/// The table as it must be after so many commits, which only grow: a store of many branches is
/// gone through in one pass.
private struct ExpectedPages {
    private var count = 0
    private var writers = [Int](repeating: 0, count: CrashWorkload.pageCount)
    private var pages = (0..<CrashWorkload.pageCount).map { CrashWorkload.page(0, $0) }

    mutating func advance(to count: Int) {
        while self.count < count {
            self.count += 1
            for number in CrashWorkload.writes(self.count) {
                writers[number] = self.count
                pages[number] = CrashWorkload.page(self.count, number)
            }
        }
    }

    /// What is wrong with a branch that must show just this.
    func difference(from branch: Branch) throws -> String? {
        for (number, bytes) in pages.enumerated()
        where try branch.read(page: PageNumber(UInt64(number)), of: CrashWorkload.table) != bytes {
            return "page \(number) is not what commit \(writers[number]) of \(count) wrote"
        }
        return nil
    }
}
