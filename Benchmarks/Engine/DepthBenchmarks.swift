import Oxbow
import Primitives

/// Whether it shows, when a page is read, how many ancestors a branch has.
enum DepthBenchmarks {
    private static let own = ObjectID(2)

    static let reads = Benchmark("read-depth-warm", "read-depth-cold") { context in
        let depth = context.pick(1_000, quick: 1_000, tiny: 10)
        let each = context.pick(UInt64(1_000), quick: 40, tiny: 10)
        let pages = UInt64(depth) * each
        return try context.withFolder("depth") { folder in
            try make(context, folder, depth, each)
            let warm = try warm(context, folder, pages)
            let cold = try cold(context, folder, pages)
            return [
                Outcome(
                    "read-depth-warm",
                    ours: warm.ours,
                    reference: warm.reference,
                    "depth 0",
                    unit: "µs",
                    must: 1.1,
                    aim: 1,
                    isJudged: context.isFull,
                    note: "depth \(depth), \(each) pages of each ancestor"
                ),
                Outcome(
                    "read-depth-cold",
                    ours: cold.ours,
                    reference: cold.reference,
                    "depth 0",
                    unit: "µs",
                    must: 1.2,
                    aim: 1,
                    isJudged: context.isFull,
                    note: "nodes cold too; dropped by \(KernelCache.method)"
                ),
            ]
        }
    }

    /// A chain of branches, each of which wrote pages of its own before the next was forked, and
    /// as many pages on the first branch alone.
    private static func make(
        _ context: Context,
        _ folder: String,
        _ depth: Int,
        _ each: UInt64
    ) throws {
        let data = try PageData(context.random(1))
        let store = try Stores.open(folder)
        var branch = try store.branch("main")
        for level in 0..<depth {
            let first = UInt64(level) * each
            try Stores.load(branch, first..<first + each, data)
            branch = try store.fork("depth-\(level + 1)", from: branch)
        }
        try Stores.load(try store.branch("main"), 0..<UInt64(depth) * each, data, of: own)
        try store.close()
    }

    private struct Sides {
        let store: Store
        let deep: Branch
        let shallow: Branch
        let buffer: PageBuffer

        init(_ folder: String, cache: Int) throws {
            store = try Stores.open(folder, cache: cache)
            deep = try store.branch("depth-\(try store.branches().count - 1)")
            shallow = try store.branch("main")
            buffer = PageBuffer(store.pageSize)
        }

        func read(_ keys: [UInt64], deep isDeep: Bool) throws -> Double {
            let branch = isDeep ? deep : shallow
            let object = isDeep ? Stores.table : own
            let seconds = try Measure.seconds {
                for key in keys {
                    try branch.read(page: PageNumber(key), of: object, into: buffer.bytes)
                    try Stores.check(UnsafeRawBufferPointer(buffer.bytes), key)
                }
            }
            return seconds / Double(keys.count) * 1e6
        }
    }

    private static func keys(_ context: Context, _ count: Int, _ pages: UInt64) -> [UInt64] {
        var random = context.random(2)
        return (0..<count).map { _ in UInt64(random.below(Int(pages))) }
    }

    private static func warm(
        _ context: Context,
        _ folder: String,
        _ pages: UInt64
    ) throws -> (ours: Double, reference: Double) {
        let sides = try Sides(folder, cache: 1 << 30)
        let keys = keys(context, context.pick(16_384, quick: 4_096, tiny: 16), pages)
        _ = (try sides.read(keys, deep: true), try sides.read(keys, deep: false))
        let times = try Measure.alternate(
            context.pick(15, quick: 7, tiny: 1),
            ours: { _ in try sides.read(keys, deep: true) },
            reference: { _ in try sides.read(keys, deep: false) }
        )
        try sides.store.close()
        return times
    }

    private static func cold(
        _ context: Context,
        _ folder: String,
        _ pages: UInt64
    ) throws -> (ours: Double, reference: Double) {
        let keys = keys(context, context.pick(4_000, quick: 300, tiny: 4), pages)
        try KernelCache.drop(folder, all: true)
        func side(_ isDeep: Bool) throws -> Double {
            let sides = try Sides(folder, cache: 256 << 20)
            try KernelCache.drop(folder)
            let time = try sides.read(keys, deep: isDeep)
            try sides.store.close()
            return time
        }
        return try Measure.alternate(
            context.pick(7, quick: 3, tiny: 1),
            ours: { _ in try side(true) },
            reference: { _ in try side(false) }
        )
    }
}
