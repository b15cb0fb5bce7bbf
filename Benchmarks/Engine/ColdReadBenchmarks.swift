import Foundation
import Oxbow
import Primitives

/// Reads of what only the disk has, after a restart.
enum ColdReadBenchmarks {
    static let reads = Benchmark("read-cold", "read-cold-nodes") { context in
        let pages = context.pick(UInt64(1 << 20), quick: 65_536, tiny: 1_024)
        let count = context.pick(2_000, quick: 200, tiny: 4)
        return try context.withFolder("read-cold") { folder in
            let data = try PageData(context.random(1))
            try FileManager.default.createDirectory(
                atPath: folder + "/raw",
                withIntermediateDirectories: true
            )
            try Stores.make(folder + "/store", pages: pages, data)
            let flat = try FlatPages(folder + "/raw/pages", pages, data)
            try KernelCache.drop(folder + "/store", all: true)
            let cold = Cold(context, folder, flat, pages, count)
            let rounds = context.pick(9, quick: 3, tiny: 1)
            let warmNodes = try Measure.alternate(
                rounds,
                ours: { try cold.ours($0, nodesWarm: true) },
                reference: { try cold.bare($0, dependent: false) }
            )
            let coldNodes = try Measure.alternate(
                rounds,
                ours: { try cold.ours(100 + $0, nodesWarm: false) },
                reference: { try cold.bare(100 + $0, dependent: true) }
            )
            return [
                Outcome(
                    "read-cold",
                    ours: warmNodes.ours,
                    reference: warmNodes.reference,
                    "pread and LZ4",
                    unit: "reads/s",
                    must: 0.7,
                    aim: 0.9,
                    isJudged: context.isFull,
                    note: "nodes warm; dropped by \(KernelCache.method)"
                ),
                Outcome(
                    "read-cold-nodes",
                    ours: coldNodes.ours,
                    reference: coldNodes.reference,
                    "2 preads and LZ4",
                    unit: "reads/s",
                    must: 0.7,
                    aim: 0.9,
                    isJudged: context.isFull,
                    note: "each read in a leaf of its own"
                ),
            ]
        }
    }

    /// The same compressed pages in one file, and where in it they lie.
    final class FlatPages {
        let file: RawFile
        let offsets: [Int]
        let lengths: [Int32]

        init(_ path: String, _ pages: UInt64, _ data: PageData) throws {
            let file = try RawFile(path)
            self.file = file
            let encoded = (0..<data.count).map(data.compressed)
            var offsets: [Int] = []
            var lengths: [Int32] = []
            var piece: [UInt8] = []
            var start = 0
            for number in 0..<Int(pages) {
                let bytes = encoded[number % encoded.count]
                offsets.append(start + piece.count)
                lengths.append(Int32(bytes.count))
                piece += bytes
                if piece.count > 1 << 20 || number + 1 == Int(pages) {
                    try piece.withUnsafeBytes { try file.write($0, at: start) }
                    start += piece.count
                    piece.removeAll(keepingCapacity: true)
                }
            }
            self.offsets = offsets
            self.lengths = lengths
            try file.sync()
        }
    }

    private struct Cold {
        /// What a leaf of the map takes in the log, about.
        static let nodeBytes = 4_400
        static let leafPages: UInt64 = 256

        let context: Context
        let folder: String
        let flat: FlatPages
        let pages: UInt64
        let count: Int

        init(
            _ context: Context,
            _ folder: String,
            _ flat: FlatPages,
            _ pages: UInt64,
            _ count: Int
        ) {
            self.context = context
            self.folder = folder
            self.flat = flat
            self.pages = pages
            self.count = count
        }

        /// Pages at random, no two of them in one leaf.
        func keys(_ round: Int) -> [UInt64] {
            var random = context.random(UInt64(1_000 + round))
            var leaves = Array(0..<pages / Self.leafPages)
            leaves.shuffle(using: &random)
            // Not the pages by which the nodes are warmed.
            return leaves.prefix(count).map {
                let place = UInt64(random.below(Int(Self.leafPages)))
                return $0 * Self.leafPages + (place % 64 == 0 ? place + 1 : place)
            }
        }

        func ours(_ round: Int, nodesWarm: Bool) throws -> Double {
            let store = try Stores.open(folder + "/store", cache: 512 << 20)
            let main = try store.branch("main")
            let buffer = PageBuffer(store.pageSize)
            let keys = keys(round)
            if nodesWarm {
                for leaf in stride(from: 0, to: pages, by: 64) {
                    try main.read(page: PageNumber(leaf), of: Stores.table, into: buffer.bytes)
                }
            } else {
                try main.read(page: 0, of: Stores.table, into: buffer.bytes)
            }
            try KernelCache.drop(folder + "/store")
            let seconds = try Measure.seconds {
                for key in keys {
                    try main.read(page: PageNumber(key), of: Stores.table, into: buffer.bytes)
                    try Stores.check(UnsafeRawBufferPointer(buffer.bytes), key)
                }
            }
            try store.close()
            return Double(keys.count) / seconds
        }

        func bare(_ round: Int, dependent: Bool) throws -> Double {
            var random = context.random(UInt64(5_000 + round))
            let keys = keys(round)
            let target = PageBuffer(8192)
            let scratch = PageBuffer(16_384)
            try KernelCache.drop(folder + "/raw")
            let last = flat.offsets[Int(pages) - 1]
            let seconds = try Measure.seconds {
                for key in keys {
                    if dependent {
                        let node = UnsafeMutableRawBufferPointer(
                            rebasing: scratch.bytes[..<min(Self.nodeBytes, last)]
                        )
                        try flat.file.readAll(node, at: random.below(last - node.count + 1))
                    }
                    let bytes = UnsafeMutableRawBufferPointer(
                        rebasing: scratch.bytes[..<Int(flat.lengths[Int(key)])]
                    )
                    try flat.file.readAll(bytes, at: flat.offsets[Int(key)])
                    try LZ4.decompress(UnsafeRawBufferPointer(bytes), into: target.bytes)
                }
            }
            return Double(keys.count) / seconds
        }
    }
}
