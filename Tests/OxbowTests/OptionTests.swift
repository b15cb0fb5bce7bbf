import Oxbow
import Testing

/// Options that no store can be run with are refused before anything is made.
@Suite struct OptionTests {
    struct Bad: CustomTestStringConvertible, Sendable {
        let name: String
        let change: @Sendable (inout StoreOptions) -> Void

        init(_ name: String, _ change: @escaping @Sendable (inout StoreOptions) -> Void) {
            self.name = name
            self.change = change
        }

        var testDescription: String { name }
    }

    static let bad = [
        Bad("pageSize is 0") { $0.pageSize = 0 },
        Bad("pageSize is negative") { $0.pageSize = .min },
        Bad("pageSize is no power of two") { $0.pageSize = 5000 },
        Bad("pageSize is huge") { $0.pageSize = 1 << 62 },
        Bad("segmentBits are few") { $0.segmentBits = 15 },
        Bad("segmentBits are negative") { $0.segmentBits = .min },
        Bad("segmentBits are as many as an integer's") { $0.segmentBits = 64 },
        Bad("segmentBits are endless") { $0.segmentBits = .max },
        Bad("cacheBytes are negative") { $0.cacheBytes = -1 },
        Bad("cacheBytes are more than memory") { $0.cacheBytes = .max },
        Bad("bufferedFlushMilliseconds are none") { $0.bufferedFlushMilliseconds = 0 },
        Bad("bufferedFlushMilliseconds are negative") { $0.bufferedFlushMilliseconds = -1 },
        Bad("bufferedFlushMilliseconds are endless") { $0.bufferedFlushMilliseconds = .max },
        Bad("checkpointBytes are none") { $0.checkpointBytes = 0 },
        Bad("checkpointChanges are none") { $0.checkpointChanges = 0 },
        Bad("checkpointChanges are negative") { $0.checkpointChanges = -1 },
        Bad("checkpointChanges are as few as can be written") { $0.checkpointChanges = .min },
        Bad("checkpointChanges are endless") { $0.checkpointChanges = .max },
        Bad("window is negative") { $0.window = .seconds(-1) },
        Bad("zeroAheadBytes are negative") { $0.zeroAheadBytes = -1 },
    ]

    @Test(arguments: bad)
    func `an option out of its bounds is refused with its bounds`(bad: Bad) {
        var options = StoreOptions()
        bad.change(&options)
        let refusal = #expect(throws: OxbowError.self) { try Store.temporary(options) }
        #expect(refusal?.kind == .invalid)
        let path = "/nowhere/at-all"
        #expect(kind { _ = try Store.open(path, options) } == .invalid)
    }

    @Test(arguments: [-1, 0, 1000, Int.min])
    func `a store in memory needs some`(limit: Int) {
        #expect(kind { _ = try Store.temporary(limit: limit) } == .invalid)
    }

    @Test func `the ends of the bounds can be had`() throws {
        var options = StoreOptions()
        options.cacheBytes = 0
        options.bufferedFlushMilliseconds = 86_400_000
        options.checkpointBytes = .max
        options.checkpointChanges = 1 << 30
        options.window = .zero
        options.windowBytes = .max
        options.upkeep = .manual
        let store = try Store.temporary(options)
        try store.branch("main").commit { edit in
            try edit.write([UInt8](repeating: 1, count: store.pageSize), page: 0, of: ObjectID(1))
        }
        try store.step()
        try store.close()
    }
}
