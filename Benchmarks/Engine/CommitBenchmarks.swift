import Oxbow
import Primitives

/// Durable commits of one page, against what the disk alone can do.
enum CommitBenchmarks {
    static let one = Benchmark("commit-1") { context in
        let count = context.pick(3_000, quick: 500, tiny: 5)
        return try context.withFolder("commit-1") { folder in
            let sides = try Sides(context, folder, records: count)
            let rates = try Measure.alternate(
                context.pick(9, quick: 3, tiny: 1),
                ours: { _ in
                    Double(count) / (try Measure.seconds { try sides.commits(count, branch: 0) })
                },
                reference: { _ in
                    Double(count) / (try Measure.seconds { try sides.bareWrites(count, of: 1) })
                }
            )
            try sides.store.close()
            return [
                Outcome(
                    "commit-1",
                    ours: rates.ours,
                    reference: rates.reference,
                    "pwrite and fdatasync",
                    unit: "commits/s",
                    must: 0.85,
                    aim: 0.95,
                    isJudged: context.scale != .tiny,
                    note: "records of \(sides.recordBytes) bytes"
                )
            ]
        }
    }

    static let sixteen = Benchmark("commit-16-shared", "commit-16-own") { context in
        let count = context.pick(1_500, quick: 150, tiny: 2)
        return try context.withFolder("commit-16") { folder in
            let sides = try Sides(context, folder, records: 16 * count)
            func rates(_ branches: Int) throws -> (ours: Double, reference: Double) {
                try Measure.alternate(
                    context.pick(7, quick: 3, tiny: 1),
                    ours: { _ in
                        let seconds = try Threads.run(16) { writer in
                            try sides.commits(count, branch: writer % branches, writer: writer)
                        }
                        return Double(16 * count) / seconds
                    },
                    reference: { _ in
                        Double(16 * count)
                            / (try Measure.seconds { try sides.bareWrites(count, of: 16) })
                    }
                )
            }
            let shared = try rates(1)
            let own = try rates(16)
            try sides.store.close()
            return [
                ("commit-16-shared", shared, "1 branch"), ("commit-16-own", own, "16 branches"),
            ]
            .map { name, rates, what in
                Outcome(
                    name,
                    ours: rates.ours,
                    reference: rates.reference,
                    "16-record pwrite and fdatasync",
                    unit: "commits/s",
                    must: 0.45,
                    aim: 0.7,
                    isJudged: context.scale != .tiny,
                    note: "16 writers on \(what)"
                )
            }
        }
    }

    /// A store and a bare file, and what is done to each.
    // Safe to share: set once when made; each writer has data of its own, and the file is written
    // by one thread at a time.
    final class Sides: @unchecked Sendable {
        let store: Store
        let branches: [Branch]
        let data: [PageData]
        let recordBytes: Int
        private let context: Context
        private let file: RawFile
        private let record: [UInt8]
        private let fileBytes: Int
        private static let pages = 8_192

        init(_ context: Context, _ folder: String, records: Int) throws {
            self.context = context
            store = try Stores.open(folder + "/store")
            let main = try store.branch("main")
            data = try (0..<16).map { try PageData(context.random(100 + $0), count: 64) }
            let pages = context.pick(Sides.pages, quick: Sides.pages, tiny: 64)
            try Stores.load(main, 0..<UInt64(pages), data[0])
            var all = [main]
            for index in 1..<16 { all.append(try store.fork("writer-\(index)", from: main)) }
            branches = all
            let page = data[0].stamped(0, 0)
            let commits = try (0..<2).map { _ in
                try main.commit { try $0.write(page, page: 0, of: Stores.table) }
            }
            recordBytes = Int(commits[1].lsn.rawValue - commits[0].lsn.rawValue)
            record = [UInt8](repeating: 0x3C, count: recordBytes * 16)
            fileBytes = max(min(records * recordBytes, 256 << 20), record.count)
            file = try RawFile(folder + "/raw")
            try file.fill(fileBytes)
            try store.checkpoint()
        }

        func commits(_ count: Int, branch: Int, writer: Int = 0) throws {
            var random = context.random(UInt64(200 + writer))
            let branch = branches[branch]
            for index in 0..<count {
                let number = UInt64(random.below(Sides.pages))
                let page = data[writer].stamped(index, number)
                try branch.commit { try $0.write(page, page: PageNumber(number), of: Stores.table) }
            }
        }

        func bareWrites(_ count: Int, of records: Int) throws {
            let length = records * recordBytes
            var offset = 0
            for _ in 0..<count {
                if offset + length > fileBytes { offset = 0 }
                try record.withUnsafeBytes {
                    try file.write(UnsafeRawBufferPointer(rebasing: $0[..<length]), at: offset)
                }
                try file.sync()
                offset += length
            }
        }
    }
}
