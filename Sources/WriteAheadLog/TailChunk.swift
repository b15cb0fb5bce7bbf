import Primitives

/// A piece of the log that is in memory: from its base on, in one segment, without a gap.
// Safe to share: bytes below `count` never change, and `count` and `flushed` are guarded by the
// log's lock.
@safe final class TailChunk: @unchecked Sendable {
    let base: LSN
    let capacity: Int
    private let memory: UnsafeMutableRawPointer
    private(set) var count = 0
    /// How many bytes from the front are in the file.
    var flushed = 0

    init(base: LSN, capacity: Int) {
        self.base = base
        self.capacity = capacity
        unsafe memory = .allocate(byteCount: capacity, alignment: 4096)
    }

    deinit { unsafe memory.deallocate() }

    var end: LSN { base + count }

    /// Room for so many bytes at the end, to be filled before the lock is given back.
    func extend(by byteCount: Int) -> UnsafeMutableRawBufferPointer {
        invariant(count + byteCount <= capacity, "a tail chunk overflows")
        defer { count += byteCount }
        return unsafe UnsafeMutableRawBufferPointer(start: memory + count, count: byteCount)
    }

    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        invariant(range.upperBound <= count, "read past the end of a tail chunk")
        return unsafe UnsafeRawBufferPointer(start: memory + range.lowerBound, count: range.count)
    }
}
