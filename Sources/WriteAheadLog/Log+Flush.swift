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

    /// Returns when everything below `target` survives a crash. Who comes while a flush is under
    /// way gathers with others for the next one, which the first of them leads.
    package func flush(through target: LSN) throws(LogError) {
        if durable >= target { return }
        if let poison = lock.withLock({ failure }) { throw .poisoned(poison) }
        flushLock.lock()
        if let batch = gathering {
            batch.count.add(1, ordering: .relaxed)
            flushLock.unlock()
            batch.end.wait()
            if durable >= target { return }
            guard let poison = lock.withLock({ failure }) else {
                preconditionFailure("a flush that neither served nor failed")
            }
            throw .poisoned(poison)
        }
        let batch = FlushBatch()
        gathering = batch
        let isFirst = !isFlushing
        isFlushing = true
        flushLock.unlock()
        if !isFirst { batch.turn.wait() }
        // One who does not wait for a turn is itself one of those who were served last, as far as
        // can be told.
        gather(batch, isFirst ? -1 : 0)
        try lead(batch, target)
    }

    /// Where the last flush served several, gives so many a moment to come back with their next
    /// records: one full flush takes half as long as two that are half full.
    private func gather(_ batch: FlushBatch, _ difference: Int) {
        let (expected, patience) = flushLock.withLock {
            (
                lastServed + difference,
                min(lastFlushNanoseconds / 2, Self.longestPatienceNanoseconds)
            )
        }
        if expected >= Self.fewestAwaited {
            let enough = batch.count.load(ordering: .relaxed) + expected
            let start = clock.monotonic()
            while batch.count.load(ordering: .relaxed) < enough,
                clock.monotonic() &- start < patience
            {
                ThreadID.giveWay()
            }
        }
        // All of them appended before they joined, so what is written from here on is enough.
        flushLock.withLock { gathering = nil }
    }

    /// Fewer are not worth waiting for,
    private static var fewestAwaited: Int { 3 }
    /// and none are for longer.
    private static var longestPatienceNanoseconds: UInt64 { 200_000 }

    /// Writes and syncs for all of a batch, tells them, and gives the turn to the next.
    private func lead(_ batch: FlushBatch, _ target: LSN) throws(LogError) {
        var failed: DiskError?
        let start = clock.monotonic()
        do throws(DiskError) {
            if let earlier = lock.withLock({ failure }) { throw earlier }
            try writeTail()
        } catch { failed = error }
        // Law 4: whoever waits, or comes later, hears of it.
        if let failed { poison(failed) }
        let took = clock.monotonic() &- start
        flushLock.lock()
        lastFlushNanoseconds = took
        lastServed = batch.count.load(ordering: .relaxed)
        let next = gathering
        isFlushing = next != nil
        flushLock.unlock()
        // The next leader first: the disk is idle until then.
        next?.turn.open()
        batch.end.open()
        if let failed { throw .poisoned(failed) }
        invariant(durable >= target, "a flush that did not reach what it was for")
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

/// Those whom the same flush serves. The first of them leads it.
final class FlushBatch: Sendable {
    /// How many have joined, with who leads.
    let count = Atomic(1)
    /// Open when the flush before has ended.
    let turn = Gate()
    /// Open when this flush has ended.
    let end = Gate()
}
