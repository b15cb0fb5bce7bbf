import DiskIO
package import Primitives
import Synchronization

extension Log {
    /// Makes everything appended so far durable.
    package func flush() throws(LogError) {
        try flush(through: lock.withLock { end })
    }

    /// As ``flush(through:)``, for a writer who waits: for those, zeros are written ahead.
    package func flushForWriter(through target: LSN? = nil) throws(LogError) {
        let target = target ?? lock.withLock { end }
        awaitedPosition.store(target.rawValue, ordering: .relaxed)
        try flush(through: target)
    }

    /// Returns when everything below `target` survives a crash. Whoever comes first writes for all
    /// who have appended by then; the others wait for that flush, or the next, which one of them
    /// is told to lead.
    package func flush(through target: LSN) throws(LogError) {
        if durable >= target { return }
        if let poison = lock.withLock({ failure }) { throw .poisoned(poison) }
        flushLock.lock()
        if isFlushing {
            let waiter = FlushWaiter(target)
            waiters.append(waiter)
            waiterCount.store(waiters.count, ordering: .relaxed)
            flushLock.unlock()
            guard waiter.wait() else {
                if durable >= target { return }
                guard let poison = lock.withLock({ failure }) else {
                    preconditionFailure("a flush that neither served nor failed")
                }
                throw .poisoned(poison)
            }
            flushLock.lock()
            awaitOthers(lastServed)
        } else {
            isFlushing = true
            // Itself one of those who were served last, as far as can be told.
            awaitOthers(lastServed - 1)
        }
        try lead(target)
    }

    /// Where the last flush served several, gives so many a moment to come back with their next
    /// records: one full flush takes half as long as two that are half full. Call with `flushLock`
    /// held, which is given up.
    private func awaitOthers(_ expected: Int) {
        let enough = waiters.count + expected
        let patience = min(lastFlushNanoseconds / 2, Self.longestPatienceNanoseconds)
        flushLock.unlock()
        guard expected >= Self.fewestAwaited else { return }
        let start = clock.monotonic()
        while waiterCount.load(ordering: .relaxed) < enough, clock.monotonic() &- start < patience {
            ThreadID.giveWay()
        }
    }

    /// Fewer are not worth waiting for,
    private static var fewestAwaited: Int { 3 }
    /// and none are for longer.
    private static var longestPatienceNanoseconds: UInt64 { 200_000 }

    /// Writes, syncs and tells the others. Call as the only one for whom `isFlushing` was set.
    private func lead(_ target: LSN) throws(LogError) {
        var failed: DiskError?
        let start = clock.monotonic()
        do throws(DiskError) {
            if let earlier = lock.withLock({ failure }) { throw earlier }
            repeat { try writeTail() } while durable < target
        } catch { failed = error }
        // Law 4: whoever waits, or comes later, hears of it.
        if let failed { poison(failed) }
        let took = clock.monotonic() &- start
        flushLock.lock()
        lastFlushNanoseconds = took
        let reached = failed == nil ? durable : .max
        let served = waiters.filter { $0.target <= reached }
        waiters.removeAll { $0.target <= reached }
        waiterCount.store(waiters.count, ordering: .relaxed)
        lastServed = served.count + 1
        let next = waiters.isEmpty ? nil : waiters.removeFirst()
        isFlushing = next != nil
        flushLock.unlock()
        // The next leader first: the disk is idle until then.
        next?.wake(toLead: true)
        for waiter in served { waiter.wake(toLead: false) }
        if let failed { throw .poisoned(failed) }
    }

    private struct Piece {
        let chunk: TailChunk
        let range: Range<Int>
        let file: any File
    }

    /// Writes and syncs what has been appended, segment by segment (law 2).
    private func writeTail() throws(DiskError) {
        let (pieces, target) = lock.withLock {
            // Zeros that are on their way must not come after what they make room for.
            while let zeroing, zeroing < end { lock.wait() }
            return (unwrittenPieces(), end)
        }
        var unsynced: (any File)?
        for piece in pieces {
            if let file = unsynced, file !== piece.file { try file.sync() }
            let offset = options.geometry.offset(of: piece.chunk.base + piece.range.lowerBound)
            try unsafe piece.file.write(piece.chunk.bytes(piece.range), at: offset)
            unsynced = piece.file
        }
        lock.withLock { markWritten(pieces, target) }
        // With nothing to write there can still be something written and not yet synced.
        try (unsynced ?? lock.withLock { current.file }).sync()
        durablePosition.store(target.rawValue, ordering: .releasing)
    }

    private func unwrittenPieces() -> [Piece] {
        chunks.compactMap { chunk in
            guard chunk.flushed < chunk.count else { return nil }
            return Piece(
                chunk: chunk,
                range: chunk.flushed..<chunk.count,
                file: file(of: chunk.base)
            )
        }
    }

    private func file(of lsn: LSN) -> any File {
        let number = options.geometry.segment(of: lsn)
        if number == current.number { return current.file }
        guard let sealed = sealedSegments.last(where: { $0.number == number }) else {
            preconditionFailure("segment \(number) has bytes to write and no file")
        }
        return sealed.file
    }

    private func markWritten(_ pieces: [Piece], _ target: LSN) {
        for piece in pieces { piece.chunk.flushed = piece.range.upperBound }
        invariant(target >= written, "the written position goes back")
        writtenPosition.store(target.rawValue, ordering: .releasing)
        let last = chunks.last
        keepMemory(of: chunks.lazy.filter { $0.flushed == $0.count && $0 !== last })
        chunks.removeAll { $0.flushed == $0.count && $0 !== last }
    }
}

/// One who waits for a flush.
// Safe to share: what changes is guarded by `lock`.
final class FlushWaiter: @unchecked Sendable {
    let target: LSN
    private let lock = Lock()
    private var isAwake = false
    private var leads = false

    init(_ target: LSN) { self.target = target }

    /// Returns whether to lead the next flush; otherwise the last one was for this one too.
    func wait() -> Bool {
        lock.lock()
        defer { lock.unlock() }
        while !isAwake { lock.wait() }
        return leads
    }

    func wake(toLead: Bool) {
        lock.lock()
        defer { lock.unlock() }
        isAwake = true
        leads = toLead
        lock.wakeAll()
    }
}
