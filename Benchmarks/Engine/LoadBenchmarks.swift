import Oxbow
import Primitives

/// How fast a store is filled.
enum LoadBenchmarks {
    static let load = Benchmark("load") { context in
        let pages = context.pick(UInt64(524_288), quick: 24_576, tiny: 256)
        let data = try PageData(context.random(1))
        let megabytes = Double(pages) * 8192 / 1e6
        var disk: [Double] = []
        var codec: [Double] = []
        let rates = try Measure.alternate(
            context.pick(3, quick: 2, tiny: 1),
            ours: { _ in
                try context.withFolder("load") { folder in
                    let store = try Stores.open(folder)
                    let main = try store.branch("main")
                    let seconds = try Measure.seconds {
                        try Stores.load(main, 0..<pages, data)
                        try store.sync()
                        try store.checkpoint()
                    }
                    try store.close()
                    return megabytes / seconds
                }
            },
            reference: { _ in
                codec.append(megabytes / compress(pages, data))
                disk.append(megabytes / (try write(context, pages, data)))
                return min(codec[codec.count - 1], disk[disk.count - 1])
            }
        )
        let byDisk = Measure.median(disk)
        let byCodec = Measure.median(codec)
        return [
            Outcome(
                "load",
                ours: rates.ours,
                reference: min(byDisk, byCodec),
                byDisk < byCodec ? "the disk's sequential write" : "LZ4 on as many threads",
                unit: "MB/s",
                must: 0.6,
                aim: 0.85,
                isJudged: context.isFull,
                note: "of pages before compression; the disk allows \(Figure.short(byDisk)), "
                    + "LZ4 \(Figure.short(byCodec))"
            )
        ]
    }

    /// How many seconds the codec takes for that many pages, on one thread.
    private static func compress(_ pages: UInt64, _ data: PageData) -> Double {
        let target = PageBuffer(2 * data.pageSize)
        return Measure.seconds {
            for index in 0..<Int(pages) { LZ4.compress(data.page(index), into: target.bytes) }
        }
    }

    /// How many seconds the disk takes for what is left of that many pages, in new files.
    private static func write(
        _ context: Context,
        _ pages: UInt64,
        _ data: PageData
    ) throws -> Double {
        try context.withFolder("sequential") { folder in
            let byteCount = Int(Double(pages) * 8192 / data.compressionRatio)
            let piece = [UInt8](repeating: 0x77, count: min(1 << 20, byteCount))
            let fileBytes = 64 << 20
            return try Measure.seconds {
                var written = 0
                while written < byteCount {
                    let file = try RawFile(folder + "/\(written)")
                    let end = min(written + fileBytes, byteCount)
                    let start = written
                    while written < end {
                        let count = min(piece.count, end - written)
                        try piece.withUnsafeBytes {
                            try file.write(.init(rebasing: $0[..<count]), at: written - start)
                        }
                        written += count
                    }
                    try file.sync()
                }
            }
        }
    }
}
