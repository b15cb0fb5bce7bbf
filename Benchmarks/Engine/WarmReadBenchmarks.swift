import Oxbow
import Primitives

/// Reads of what is decoded in memory.
enum WarmReadBenchmarks {
    static let reads = Benchmark("read-warm") { context in
        let pages = context.pick(131_072, quick: 8_192, tiny: 64)
        let count = context.pick(400_000, quick: 100_000, tiny: 100)
        return try context.withFolder("read-warm") { folder in
            let data = try PageData(context.random(1))
            let store = try Stores.open(folder + "/store", cache: 4 << 30)
            let main = try store.branch("main")
            try Stores.load(main, 0..<UInt64(pages), data)
            try store.checkpoint()
            let buffer = PageBuffer(store.pageSize)
            for number in 0..<pages {
                try main.read(
                    page: PageNumber(UInt64(number)),
                    of: Stores.table,
                    into: buffer.bytes
                )
            }
            var random = context.random(2)
            let keys = (0..<count).map { _ in UInt64(random.below(pages)) }
            // Held, as the other side holds its transaction.
            let view = try main.view()
            func ours() throws -> Double {
                Double(count)
                    / (try Measure.seconds {
                        for key in keys {
                            try view.read(
                                page: PageNumber(key),
                                of: Stores.table,
                                into: buffer.bytes
                            )
                            try Stores.check(UnsafeRawBufferPointer(buffer.bytes), key)
                        }
                    })
            }
            guard
                let rates = try Peers.warmReads(
                    context,
                    folder,
                    pages,
                    data,
                    keys,
                    buffer,
                    ours: ours
                )
            else {
                return [
                    .notMeasured(
                        "read-warm",
                        ours: try ours(),
                        unit: "reads/s",
                        must: 0.5,
                        aim: 0.9
                    )
                ]
            }
            return [
                Outcome(
                    "read-warm",
                    ours: rates.ours,
                    reference: rates.reference,
                    "LMDB",
                    unit: "reads/s",
                    must: 0.5,
                    aim: 0.9,
                    isJudged: context.isFull,
                    note: "\(pages) pages, 8 KiB copied out"
                )
            ]
        }
    }
}
