import Primitives

/// A piece of the log that is in memory: from its base on, in one segment, without a gap.
// Safe to share: bytes below `count` never change, and `count` and `flushed` are guarded by the
// log's lock.
@safe final class TailChunk: @unchecked Sendable {
    let base: LSN
    let memory: TailMemory
    private(set) var count = 0
    /// How many bytes from the front are in the file.
    var flushed = 0

    init(base: LSN, memory: TailMemory) {
        self.base = base
        self.memory = memory
    }

    var capacity: Int { memory.byteCount }
    var end: LSN { base + count }

    /// Room for so many bytes at the end, to be filled before the lock is given back.
    func extend(by byteCount: Int) -> UnsafeMutableRawBufferPointer {
        invariant(count + byteCount <= capacity, "a tail chunk overflows")
        defer { count += byteCount }
        return unsafe UnsafeMutableRawBufferPointer(start: memory.start + count, count: byteCount)
    }

    /// Bytes that were appended: the range was made with the lock held, and needs it no more.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        invariant(range.upperBound <= capacity, "read past the end of a tail chunk")
        return unsafe UnsafeRawBufferPointer(
            start: memory.start + range.lowerBound,
            count: range.count
        )
    }
}

/// The memory of a tail chunk, used again for a later one: fresh memory costs a page fault for
/// every 4 KiB, an eighth of a bulk load.
// Safe to share: the chunk that holds it says who may write where.
@safe final class TailMemory: @unchecked Sendable {
    let byteCount: Int
    let start: UnsafeMutableRawPointer

    init(byteCount: Int) {
        self.byteCount = byteCount
        unsafe start = .allocate(byteCount: byteCount, alignment: 4096)
    }

    deinit { unsafe start.deallocate() }
}

extension Log {
    /// So many pieces of memory are kept for later chunks, at most.
    private static var keptMemoryLimit: Int { 8 }

    /// Call with `lock` held.
    func makeChunk(at base: LSN) -> TailChunk {
        let memory = keptMemory.popLast()
        return TailChunk(
            base: base,
            memory: memory ?? TailMemory(byteCount: options.geometry.maximumRecordBytes)
        )
    }

    /// Takes the memory of chunks that were written, which nobody reads any more. Call with `lock`
    /// held.
    func keepMemory(of chunks: some Sequence<TailChunk>) {
        for chunk in chunks where keptMemory.count < Self.keptMemoryLimit {
            keptMemory.append(chunk.memory)
        }
    }

    /// Gives back the memory that was kept, where the log is quiet.
    package func dropKeptMemory() {
        let kept = lock.withLock {
            defer { keptMemory = [] }
            return keptMemory
        }
        withExtendedLifetime(kept) {}
    }
}
