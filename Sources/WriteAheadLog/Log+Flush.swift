import DiskIO
package import Primitives
import Synchronization

extension Log {
    /// Makes everything appended so far durable.
    package func flush() throws(LogError) {
        try flush(through: lock.withLock { end })
    }

    /// Returns when everything below `target` survives a crash. Whoever comes first writes for all
    /// who have appended by then; the others wait for that flush, or the next.
    package func flush(through target: LSN) throws(LogError) {
        if durable >= target { return }
        flushLock.lock()
        waiting += 1
        defer {
            waiting -= 1
            flushLock.unlock()
        }
        while durable < target {
            if let poison = lock.withLock({ failure }) { throw .poisoned(poison) }
            if isFlushing {
                flushLock.wait()
                continue
            }
            try lead()
        }
    }

    /// Call with `flushLock` held, which is given up in between.
    private func lead() throws(LogError) {
        isFlushing = true
        flushLock.unlock()
        var failed: DiskError?
        do throws(DiskError) { try writeTail() } catch { failed = error }
        // Law 4: whoever waits, or comes later, hears of it.
        if let failed { poison(failed) }
        flushLock.lock()
        isFlushing = false
        flushLock.wakeAll()
        if let failed { throw .poisoned(failed) }
    }

    private struct Piece {
        let chunk: TailChunk
        let range: Range<Int>
        let file: any File
    }

    /// Writes and syncs what has been appended, segment by segment (law 2).
    private func writeTail() throws(DiskError) {
        let (pieces, target) = lock.withLock { (unwrittenPieces(), end) }
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
        chunks.removeAll { $0.flushed == $0.count && $0 !== last }
    }
}
