import DiskIO
import Oxbow
import Primitives
import Simulation
import Testing

/// There is always room to make room: also where changes all over a map wait for a checkpoint,
/// which writes a node for each.
@Suite struct RoomTests {
    static let table = ObjectID(1)

    struct Shape: Sendable {
        var bits: Int
        var pageSize: Int
        var pages: Int
        var megabytes: Int
        var pagesAtOnce: Int
    }

    static let shapes = [
        Shape(bits: 16, pageSize: 512, pages: 4000, megabytes: 6, pagesAtOnce: 10),
        Shape(bits: 18, pageSize: 512, pages: 20_000, megabytes: 16, pagesAtOnce: 10),
        Shape(bits: 20, pageSize: 4096, pages: 40_000, megabytes: 40, pagesAtOnce: 100),
    ]

    private static func open(_ disk: any Disk, _ shape: Shape) throws -> Store {
        var options = StoreOptions()
        options.upkeep = .manual
        options.createIfMissing = true
        options.pageSize = shape.pageSize
        options.segmentBits = shape.bits
        options.windowBytes = 1 << 40
        var random = SeededRandom(seed: 9)
        return try Store.open(disk, SystemClock(), options, entropy: Entropy { random.next() })
    }

    @Test(arguments: shapes)
    func `a store that was filled by changes all over can be emptied`(shape: Shape) throws {
        let disk = MemoryDisk(limit: UInt64(shape.megabytes) << 20)
        var store = try Self.open(disk, shape)
        var random = SeededRandom(seed: UInt64(shape.bits))
        for name in ["a", "b", "c"] { try store.fork(name, from: store.branch("main")) }
        var refusal: OxbowError?
        while refusal == nil {
            let name = ["main", "a", "b", "c"][Int(random.next() % 4)]
            do {
                try store.branch(name).commit(.buffered) { edit in
                    for _ in 0..<shape.pagesAtOnce {
                        let page = PageNumber(random.next() % UInt64(shape.pages))
                        let filler = UInt8(page.rawValue & 255)
                        let bytes = [UInt8](repeating: filler, count: shape.pageSize)
                        try edit.write(bytes, page: page, of: Self.table)
                    }
                }
                if random.next() % 64 == 0 { try store.step() }
            } catch { refusal = error as? OxbowError }
        }
        #expect(refusal?.kind == .full)
        try store.setWindow(.zero, bytes: 0)
        for name in ["a", "b", "c"] { try store.branch(name).delete() }
        try store.close()
        store = try Self.open(disk, shape)
        try store.reclaim()
        try store.branch("main").commit { edit in
            try edit.write([UInt8](repeating: 7, count: shape.pageSize), page: 0, of: Self.table)
        }
        #expect(try store.check().isSound)
    }
}
