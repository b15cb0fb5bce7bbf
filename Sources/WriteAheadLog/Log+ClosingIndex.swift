import DiskIO
package import Primitives

extension Log {
    /// Writes the closing index of the oldest segment that waits for one; false where none does.
    package func writeClosingIndex() throws(LogError) -> Bool {
        let waiting = lock.withLock { () -> (SealedSegment, SegmentIndexBuilder)? in
            guard let segment = sealedSegments.first, let index = openIndexes[segment.number],
                segment.end <= durable
            else { return nil }
            return (segment, index)
        }
        guard let (segment, index) = waiting, try write(index, segment) else { return false }
        indexWasWritten(segment.number)
        return true
    }

    /// Gives a segment of an earlier process, which may have crashed, the closing index that it
    /// lacks. Returns whether it lacked one.
    package func writeClosingIndex(
        of number: SegmentNumber,
        upTo end: LSN
    ) throws(LogError) -> Bool {
        let file = try files.file(number)
        guard file.extents == nil else { return false }
        // All of it: what a crash tore can have a sound end.
        let closing = try LogError.disk { () throws(DiskError) in
            try SegmentIndex(file.file, number)
        }
        if closing != nil { return false }
        let index = try SegmentIndex.build(file, upTo: end)
        return try write(
            index,
            SealedSegment(number: number, header: file.header, end: end, file: file.file)
        )
    }

    /// Writes the closing index of the active segment, to which nothing is appended any more.
    func writeLastIndex() throws(LogError) {
        let (segment, index) = lock.withLock {
            (
                SealedSegment(
                    number: current.number,
                    header: current.header,
                    end: end,
                    file: current.file
                ),
                activeIndex
            )
        }
        _ = try write(index, segment)
    }

    /// Puts an index behind a segment's last record, and cuts the file there. The records are
    /// durable, and the index can be built anew, so a crash in between loses nothing.
    private func write(
        _ index: SegmentIndexBuilder,
        _ segment: SealedSegment
    ) throws(LogError) -> Bool {
        // Law 2 of zeros ahead.
        zeroLock.lock()
        defer { zeroLock.unlock() }
        let base = options.geometry.base(of: segment.number)
        let offset = UInt64(aligned(Int(segment.end.rawValue - base.rawValue)))
        let bytes = ClosingIndex.encode(index, header: segment.header, end: segment.end, at: offset)
        do throws(DiskError) {
            // What leads to the index comes last: where that is, all of the index is.
            let footer = bytes.count - ClosingIndex.footerSize
            try segment.file.write(Array(bytes[..<footer]), at: offset)
            try segment.file.sync()
            try segment.file.write(Array(bytes[footer...]), at: offset + UInt64(footer))
            // Before the cut: a file that is shorter than a segment always ends in an index.
            try segment.file.sync()
            try segment.file.truncate(to: offset + UInt64(bytes.count))
            try segment.file.sync()
        } catch {
            if case .full = error { return false }
            poison(error)
            throw .poisoned(error)
        }
        return true
    }
}
