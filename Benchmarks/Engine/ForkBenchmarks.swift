import Foundation
import Oxbow
import Primitives

/// What a branch costs to make.
enum ForkBenchmarks {
    /// Named, listed, appended to the log's buffer.
    static let buffered = Benchmark("fork") { context in
        let count = context.pick(100_000, quick: 20_000, tiny: 200)
        var times: [Double] = []
        for _ in 0..<context.pick(5, quick: 3, tiny: 1) {
            times.append(
                try context.withFolder("fork") { folder in
                    let store = try Stores.open(folder)
                    let main = try store.branch("main")
                    let names = (0..<count).map { "pr-\($0)" }
                    let seconds = try Measure.seconds {
                        for name in names { try store.fork(name, from: main) }
                    }
                    try store.close()
                    return seconds / Double(count) * 1e6
                }
            )
        }
        return [
            Outcome(
                "fork",
                ours: Measure.median(times),
                bound: 1.5,
                aim: 0.3,
                unit: "µs",
                isJudged: context.isFull,
                note: "mean of \(count) forks with distinct names"
            )
        ]
    }

    /// A fork and its flush.
    static let durable = Benchmark("fork-durable") { context in
        let count = context.pick(2_000, quick: 300, tiny: 3)
        return try context.withFolder("fork-durable") { folder in
            let store = try Stores.open(folder + "/store")
            let main = try store.branch("main")
            let file = try RawFile(folder + "/raw")
            try file.fill(max(count * 4096, 1 << 20))
            let block = [UInt8](repeating: 0x5A, count: 4096)
            let times = try Measure.alternate(
                context.pick(7, quick: 3, tiny: 1),
                ours: { round in
                    try Measure.seconds {
                        for index in 0..<count {
                            try store.fork("b\(round)-\(index)", from: main)
                            try store.sync()
                        }
                    } / Double(count) * 1e6
                },
                reference: { _ in
                    try Measure.seconds {
                        for index in 0..<count {
                            try block.withUnsafeBytes { try file.write($0, at: index * 4096) }
                            try file.sync()
                        }
                    } / Double(count) * 1e6
                }
            )
            try store.close()
            return [
                Outcome(
                    "fork-durable",
                    ours: times.ours,
                    reference: times.reference,
                    "4 KiB pwrite and fdatasync",
                    unit: "µs",
                    must: 1.3,
                    aim: 1.05,
                    isJudged: context.scale != .tiny
                )
            ]
        }
    }

    /// Whether the size of the store, or the number of its branches, shows.
    static let large = Benchmark("fork-large", "fork-many") { context in
        let many = context.pick(UInt64(8_388_608), quick: 200_000, tiny: 2_000)
        let few = context.pick(UInt64(8_192), quick: 8_192, tiny: 100)
        let branches = context.pick(100_000, quick: 20_000, tiny: 400)
        return try context.withFolder("fork-large") { folder in
            let sizes = try forks(context, folder, few: few, many: many)
            let order = try context.withFolder("fork-many") { folder in
                try firstAndLast(context, folder, branches)
            }
            return [
                Outcome(
                    "fork-large",
                    ours: sizes.ours,
                    reference: sizes.reference,
                    "fork of \(few) pages",
                    unit: "µs",
                    must: 1.2,
                    aim: 1,
                    isJudged: context.isFull,
                    note: "\(many) written pages, all but their numbers zeros to fit the disk"
                ),
                Outcome(
                    "fork-many",
                    ours: order.last,
                    reference: order.first,
                    "the first branches",
                    unit: "µs",
                    must: 1.2,
                    aim: 1,
                    isJudged: context.isFull,
                    note: "the last 1 % of \(branches) branches against the first"
                ),
            ]
        }
    }

    private static func forks(
        _ context: Context,
        _ folder: String,
        few: UInt64,
        many: UInt64
    ) throws -> (ours: Double, reference: Double) {
        let large = try sparse(folder + "/large", many)
        let small = try sparse(folder + "/small", few)
        let count = context.pick(2_000, quick: 1_000, tiny: 20)
        func time(_ store: Store, _ round: Int) throws -> Double {
            let main = try store.branch("main")
            let names = (0..<count).map { "r\(round)-\($0)" }
            return try Measure.seconds {
                for name in names { try store.fork(name, from: main) }
            } / Double(count) * 1e6
        }
        // Once unmeasured: the first fork loads what a fork of this store needs.
        _ = (try time(large, 1000), try time(small, 1000))
        let times = try Measure.alternate(
            context.pick(15, quick: 7, tiny: 1),
            ours: { try time(large, $0) },
            reference: { try time(small, $0) }
        )
        try large.close()
        try small.close()
        return times
    }

    /// A store with that many pages that take next to no room.
    private static func sparse(_ folder: String, _ pages: UInt64) throws -> Store {
        let store = try Stores.open(folder)
        let main = try store.branch("main")
        var page = [UInt64](repeating: 0, count: store.pageSize / 8)
        var next: UInt64 = 0
        while next < pages {
            let end = min(next + 112, pages)
            try main.commit(.buffered) { edit in
                for number in next..<end {
                    page[0] = number
                    try page.withUnsafeBytes {
                        try edit.write($0, page: PageNumber(number), of: Stores.table)
                    }
                }
            }
            next = end
        }
        try store.checkpoint()
        return store
    }

    /// The mean of the first and the last hundredth of all forks of several rounds.
    private static func firstAndLast(
        _ context: Context,
        _ folder: String,
        _ count: Int
    ) throws -> (first: Double, last: Double) {
        var first: [Double] = []
        var last: [Double] = []
        for round in 0..<context.pick(7, quick: 3, tiny: 1) {
            let store = try Stores.open(folder + "/\(round)")
            let main = try store.branch("main")
            let part = max(1, count / 100)
            let names = (0..<count).map { "b\($0)" }
            func time(_ range: Range<Int>) throws -> Double {
                try Measure.seconds {
                    for index in range { try store.fork(names[index], from: main) }
                } / Double(range.count) * 1e6
            }
            // The very first ones make the log's first buffers.
            _ = try time(0..<part)
            first.append(try time(part..<2 * part))
            _ = try time(2 * part..<count - part)
            last.append(try time(count - part..<count))
            try store.close()
        }
        return (Measure.median(first), Measure.median(last))
    }
}
