import Foundation
import Oxbow
import Primitives

/// What the benchmarks do with stores.
enum Stores {
    static let table = ObjectID(1)

    /// A store whose upkeep is left to its thread, with a cache of that size.
    static func open(
        _ folder: String,
        cache: Int = 64 << 20,
        _ change: (inout StoreOptions) -> Void = { _ in }
    ) throws -> Store {
        var options = StoreOptions()
        options.cacheBytes = cache
        change(&options)
        return try Store.open(folder, options)
    }

    /// Writes pages in order, many to a commit.
    static func load(
        _ branch: Branch,
        _ pages: Range<UInt64>,
        _ data: PageData,
        of object: ObjectID = table,
        perCommit: UInt64 = 112
    ) throws {
        var next = pages.lowerBound
        while next < pages.upperBound {
            let end = min(next + perCommit, pages.upperBound)
            try branch.commit(.buffered) { edit in
                for number in next..<end {
                    try edit.write(
                        data.stamped(Int(number), number),
                        page: PageNumber(number),
                        of: object
                    )
                }
            }
            next = end
        }
    }

    /// Makes a store with so many pages on `main`, and closes it.
    static func make(_ folder: String, pages: UInt64, _ data: PageData) throws {
        let store = try open(folder)
        try load(try store.branch("main"), 0..<pages, data)
        try store.close()
    }

    /// Holds a page against what was written there.
    static func check(_ buffer: UnsafeRawBufferPointer, _ number: UInt64) throws {
        guard buffer.loadUnaligned(as: UInt64.self) == number else {
            throw BenchmarkError("page \(number) reads as another")
        }
    }
}

/// A page's worth of memory to read into.
final class PageBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ count: Int) { bytes = .allocate(byteCount: count, alignment: 4096) }

    deinit { bytes.deallocate() }
}
