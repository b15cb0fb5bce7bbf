import Foundation
import Oxbow
import Primitives

/// What the engine takes of disk and memory.
enum SpaceBenchmarks {
    static let growth = Benchmark("growth") { context in
        let pages = context.pick(131_072, quick: 16_384, tiny: 256)
        let count = context.pick(200_000, quick: 10_000, tiny: 100)
        return try context.withFolder("growth") { folder in
            let data = try PageData(context.random(1))
            try Stores.make(folder, pages: UInt64(pages), data)
            let before = try KernelCache.allocatedBytes(folder)
            let store = try Stores.open(folder)
            let main = try store.branch("main")
            var random = context.random(2)
            for index in 0..<count {
                let number = UInt64(random.below(pages))
                let page = data.stamped(index, number)
                try main.commit(.buffered) {
                    try $0.write(page, page: PageNumber(number), of: Stores.table)
                }
            }
            try store.checkpoint()
            try store.close()
            let growth = try KernelCache.allocatedBytes(folder) - before
            let each = Double(growth) / Double(count)
            let size = Double(data.pageSize) / data.compressionRatio
            let must = 1.6 * size + 512
            return [
                Outcome(
                    "growth",
                    ours: each,
                    bound: must,
                    aim: 1.2 * size + 128,
                    unit: "B",
                    isJudged: context.isFull,
                    note: "a page takes \(Figure.short(size)) B under LZ4"
                )
            ]
        }
    }

    static let memory = Benchmark("memory") { context in
        let pages = context.pick(UInt64(1_310_720), quick: 65_536, tiny: 512)
        let count = context.pick(200_000, quick: 20_000, tiny: 50)
        return try context.withFolder("memory") { folder in
            try Stores.make(folder, pages: pages, PageData(context.random(1)))
            let figures = try Child.run(
                context.executable,
                ["memory", folder, String(pages), String(count), String(context.seed)]
            )
            return [
                Outcome(
                    "memory",
                    ours: (figures["anonymous"] ?? 0) / 1_048_576,
                    bound: 256,
                    aim: 128,
                    unit: "MiB",
                    isJudged: context.isFull,
                    note: "anonymous memory after \(count) random reads of \(pages) pages, "
                        + "64 MiB cache"
                )
            ]
        }
    }

    static let idle = Benchmark("idle-memory", "idle-disk") { context in
        let count = context.pick(100_000, quick: 20_000, tiny: 50)
        let cache = 64 << 20
        return try context.withFolder("idle") { folder in
            var disk: [Int] = []
            var memory: [Double] = []
            for (name, count) in [("few", 1), ("many", count)] {
                try makeBranches(folder + "/" + name, count, PageData(context.random(1)))
                disk.append(try KernelCache.allocatedBytes(folder + "/" + name))
                let figures = try Child.run(
                    context.executable,
                    ["idle", folder + "/" + name, String(count)]
                )
                memory.append(figures["anonymous"] ?? 0)
            }
            return [
                Outcome(
                    "idle-memory",
                    ours: memory[1] / 1_048_576,
                    reference: (memory[0] + Double(cache)) / 1_048_576,
                    "1 branch and the cache",
                    unit: "MiB",
                    must: 1,
                    aim: 1,
                    isJudged: context.isFull,
                    note: "anonymous memory with \(count) idle branches, each looked up once"
                ),
                Outcome(
                    "idle-disk",
                    ours: Double(disk[1] - disk[0]) / Double(count),
                    bound: 512,
                    aim: 200,
                    unit: "B",
                    isJudged: context.isFull
                ),
            ]
        }
    }
    private static func makeBranches(_ folder: String, _ count: Int, _ data: PageData) throws {
        let store = try Stores.open(folder)
        let main = try store.branch("main")
        try Stores.load(main, 0..<100, data)
        try store.checkpoint()
        for index in 1...count { try store.fork("b-\(index)", from: main) }
        try store.close()
    }
}
