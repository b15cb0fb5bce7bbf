import DiskIO
import Primitives
import Synchronization

/// Zeros written ahead of the log, in its active segment and in the spare one: a sync of blocks
/// that are written already takes 120 to 150 µs where one that has to turn allocated blocks into
/// written ones takes 192 to 245.
///
/// Laws:
/// 1. Zeros go only where nothing was appended when they were begun, and no flush writes there
///    before they are done and synced: it waits where the log has caught up with them meanwhile.
/// 2. Nothing else is written behind a segment's records while zeros may be on their way there:
///    a closing index waits for them.
/// 3. They are an aid: a log that grows faster than they can be written goes on without them.
extension Log {
    private static let pieceBytes: UInt64 = 256 << 10

    /// Whether a piece should be written now. Call with `lock` held.
    package var wantsZeros: Bool {
        guard options.zeroAheadBytes > 0, active != nil, !isShut, failure == nil else {
            return false
        }
        let limit = options.geometry.base(of: current.number.next)
        // A process that hardly writes anything should not write zeros for that.
        let begun = options.geometry.firstRecord(of: current.number)
        guard zeroed > begun || end >= begun + Self.worthwhileBytes else { return false }
        guard isAwaited, unflushedBytes <= Self.unawaitedBytes else { return false }
        return zeroed < limit && zeroed < end + options.zeroAheadBytes / 2
            || spare != nil && spareZeroed < UInt64(options.zeroAheadBytes)
    }

    /// Whether writers wait for the disk. Nobody gains by zeros otherwise, and in a bulk load they
    /// would double what is written. Call with `lock` held.
    private var isAwaited: Bool {
        let awaited = awaitedPosition.load(ordering: .relaxed)
        return awaited > 0 && end.rawValue &- awaited <= UInt64(Self.unawaitedBytes)
    }

    private static var worthwhileBytes: Int { 64 << 10 }
    private static var unawaitedBytes: Int { 256 << 10 }

    /// Writes the next piece of zeros, durably; false where none is wanted.
    package func zeroAhead() throws(LogError) -> Bool {
        zeroLock.lock()
        defer { zeroLock.unlock() }
        let piece = lock.withLock { () -> ZeroPiece? in
            guard let piece = nextZeroPiece() else { return nil }
            // Of the spare segment, too: the log may go on in it before they are done.
            zeroing = piece.from
            return piece
        }
        guard let piece else { return false }
        defer {
            lock.withLock {
                zeroing = nil
                lock.wakeAll()
            }
        }
        let file = try LogError.disk { () throws(DiskError) in try zeroFile(piece.number) }
        do throws(DiskError) {
            let zeros = [UInt8](repeating: 0, count: Int(piece.byteCount))
            try file.write(zeros, at: options.geometry.offset(of: piece.from))
            try file.sync()
        } catch {
            // Of what else was written to the file since its last sync nothing is known any more.
            poison(error)
            throw .poisoned(error)
        }
        lock.withLock { note(piece) }
        return true
    }

    /// A segment's file, opened apart: a system tells of a failed write once for each opening, and
    /// a flush must not miss what a sync of zeros was told. Call with `zeroLock` held.
    private func zeroFile(_ number: SegmentNumber) throws(DiskError) -> any File {
        if let known = zeroFile, known.number == number { return known.file }
        let file = try disk.open(number.fileName)
        zeroFile = (number, file)
        return file
    }

    private struct ZeroPiece {
        let number: SegmentNumber
        let from: LSN
        let byteCount: UInt64
    }

    /// Call with `lock` held.
    private func nextZeroPiece() -> ZeroPiece? {
        guard wantsZeros else { return nil }
        let window = UInt64(options.zeroAheadBytes)
        let blockMask: UInt64 = 4095
        let limit = options.geometry.base(of: current.number.next)
        // What was appended and not flushed yet ends a block that a flush will write.
        let start = max(zeroed.rawValue, (end.rawValue + blockMask) & ~blockMask)
        let target = min((end.rawValue + window) & ~blockMask, limit.rawValue)
        if start < target {
            return ZeroPiece(
                number: current.number,
                from: LSN(rawValue: start),
                byteCount: min(target - start, Self.pieceBytes)
            )
        }
        guard let spare, spareZeroed < min(window, options.geometry.segmentSize) else { return nil }
        let rest = min(window, options.geometry.segmentSize) - spareZeroed
        return ZeroPiece(
            number: spare.number,
            from: options.geometry.base(of: spare.number) + Int(spareZeroed),
            byteCount: min(rest, Self.pieceBytes)
        )
    }

    /// Call with `lock` held.
    private func note(_ piece: ZeroPiece) {
        let end = piece.from + Int(piece.byteCount)
        if piece.number == current.number {
            zeroed = max(zeroed, end)
        } else if piece.number == spare?.number {
            spareZeroed = options.geometry.offset(of: piece.from) + piece.byteCount
        }
    }
}
