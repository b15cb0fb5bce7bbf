import Foundation
import Oxbow
import Primitives

/// What opening costs after a crash.
enum RecoveryBenchmarks {
    static let crash = Benchmark("open-crash-1", "open-crash-10000") { context in
        let logBytes = context.pick(64 << 20, quick: 16 << 20, tiny: 1 << 20)
        return try [1, context.pick(10_000, quick: 2_000, tiny: 20)].map { branches in
            try context.withFolder("crash") { folder in
                let image = folder + "/image"
                try leave(image, context, folder, branches, logBytes)
                let times = try Measure.alternate(
                    context.pick(7, quick: 3, tiny: 1),
                    ours: { _ in try open(image, folder) },
                    reference: { _ in try read(image, folder, logBytes) }
                )
                return Outcome(
                    branches == 1 ? "open-crash-1" : "open-crash-10000",
                    ours: times.ours,
                    reference: times.reference,
                    "reading so much log",
                    unit: "ms",
                    must: 5,
                    aim: 2,
                    isJudged: context.isFull,
                    note: "\(logBytes >> 20) MiB of log over \(branches) branches; both cold, by "
                        + KernelCache.method
                )
            }
        }
    }

    /// Leaves the folder of a store as a crash leaves it: copied while the store is open.
    private static func leave(
        _ image: String,
        _ context: Context,
        _ folder: String,
        _ branches: Int,
        _ logBytes: Int
    ) throws {
        let live = folder + "/live"
        let store = try Stores.open(live) {
            $0.upkeep = .manual
            $0.checkpointBytes = .max
        }
        let main = try store.branch("main")
        let data = try PageData(context.random(1))
        try Stores.load(main, 0..<1_000, data)
        let handles = try (0..<branches).map {
            $0 == 0 ? main : try store.fork("b-\($0)", from: main)
        }
        try store.checkpoint()
        var random = context.random(3)
        let start = try main.commit { try $0.delete(page: 0, of: Stores.table) }.lsn.rawValue
        var end = start
        var index = 0
        while end - start < UInt64(logBytes) {
            let number = UInt64(random.below(1_000))
            let page = data.stamped(index, number)
            let branch = handles[index % handles.count]
            end = try branch.commit(.buffered) {
                try $0.write(page, page: PageNumber(number), of: Stores.table)
            }.lsn.rawValue
            index += 1
        }
        try store.sync()
        try KernelCache.copy(live, to: image)
        try store.close()
        try FileManager.default.removeItem(atPath: live)
    }

    private static func open(_ image: String, _ folder: String) throws -> Double {
        let copy = folder + "/copy"
        try KernelCache.copy(image, to: copy)
        try KernelCache.drop(copy)
        var store: Store?
        let seconds = try Measure.seconds { store = try Stores.open(copy) }
        try store?.close()
        store = nil
        try FileManager.default.removeItem(atPath: copy)
        return seconds * 1e3
    }

    private static func read(_ image: String, _ folder: String, _ logBytes: Int) throws -> Double {
        let segments = try FileManager.default.contentsOfDirectory(atPath: image)
            .filter { $0.hasSuffix(".segment") }.sorted()
        try KernelCache.drop(image)
        let buffer = PageBuffer(4 << 20)
        return try Measure.seconds {
            var rest = logBytes
            for name in segments {
                let file = try RawFile(image + "/" + name)
                var offset = 0
                while rest > 0 {
                    let piece = UnsafeMutableRawBufferPointer(
                        rebasing: buffer.bytes[..<min(rest, buffer.bytes.count)]
                    )
                    let count = try file.read(piece, at: offset)
                    if count == 0 { break }
                    offset += count
                    rest -= count
                }
            }
        } * 1e3
    }
}
