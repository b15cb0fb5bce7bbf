import Foundation
import Oxbow
import Primitives

/// What commits feel of checkpoints.
enum TailBenchmarks {
    static let commits = Benchmark("commit-tail") { context in
        let pages = context.pick(131_072, quick: 8_192, tiny: 256)
        let count = context.pick(3_000, quick: 1_000, tiny: 5)
        return try context.withFolder("tail") { folder in
            let data = try PageData(context.random(1))
            let store = try Stores.open(folder)
            let main = try store.branch("main")
            try Stores.load(main, 0..<UInt64(pages), data)
            try store.checkpoint()
            var random = context.random(2)
            func times() throws -> [Double] {
                try (0..<count).map { index in
                    let number = UInt64(random.below(pages))
                    let page = data.stamped(index, number)
                    return try Measure.seconds {
                        try main.commit {
                            try $0.write(page, page: PageNumber(number), of: Stores.table)
                        }
                    } * 1e6
                }
            }
            var busy: [Double] = []
            var idle: [Double] = []
            for _ in 0..<context.pick(7, quick: 1, tiny: 1) {
                idle += try times()
                try Maintenance(store).run { busy += try times() }
                try store.checkpoint()
            }
            try store.close()
            return [
                Outcome(
                    "commit-tail",
                    ours: Measure.percentile(0.999, of: busy),
                    reference: Measure.percentile(0.999, of: idle),
                    "idle maintenance",
                    unit: "µs p99.9",
                    must: 5,
                    aim: 2,
                    isJudged: context.isFull,
                    note: "medians \(Figure.short(Measure.median(busy))) and "
                        + "\(Figure.short(Measure.median(idle))) µs"
                )
            ]
        }
    }

    /// Checkpoints, one after the other, beside something else.
    // Safe to share: the flags are guarded by the condition.
    private final class Maintenance: @unchecked Sendable {
        private let store: Store
        private let condition = NSCondition()
        private var isWanted = true
        private var isRunning = true

        init(_ store: Store) { self.store = store }

        func run(_ body: () throws -> Void) throws {
            let thread = Thread { [self] in
                while condition.withLock({ isWanted }) { try? store.checkpoint() }
                condition.withLock {
                    isRunning = false
                    condition.broadcast()
                }
            }
            thread.start()
            defer {
                condition.lock()
                isWanted = false
                while isRunning { condition.wait() }
                condition.unlock()
            }
            try body()
        }
    }
}
