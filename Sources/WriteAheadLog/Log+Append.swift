import DiskIO
package import Primitives

/// What appending a record gave it.
package struct Appended: Sendable {
    package let lsn: LSN
    package let time: LogTime
    package let clock: LogTime
}

extension Log {
    /// Appends a record to the tail. Call with `lock` held; it does no I/O, and where it throws,
    /// nothing has changed.
    ///
    /// - Parameters:
    ///   - timeline: What the record belongs to; nil for one that begins a timeline, whose id
    ///     becomes the record's own LSN.
    ///   - blocks: Their headers get their positions here.
    ///   - locations: Gets where each block stands.
    ///   - urgency: How much of the reserve it may use.
    package func append(
        _ kind: RecordKind,
        timeline: TimelineID?,
        meta: [UInt8] = [],
        blocks: BlockBuffer? = nil,
        locations: inout [Location],
        urgency: Urgency = .ordinary
    ) throws(LogError) -> Appended {
        try checkUsable()
        let bodyStart = RecordHeader.size + aligned(meta.count)
        let length = bodyStart + (blocks?.byteCount ?? 0)
        guard length <= options.geometry.maximumRecordBytes else {
            throw .tooLarge(byteCount: length)
        }
        try makeRoom(length, entries: 1 + (blocks?.count ?? 0), urgency)

        let lsn = end
        let clockTime = LogTime(rawValue: clock.now())
        let time = max(clockTime, LogTime(rawValue: lastTime.rawValue + 1))
        let line = timeline ?? TimelineID(lsn)
        let seed = RecordHeader.seed(incarnation: options.incarnation, lsn: lsn)
        let target = unsafe tailChunk(length).extend(by: length)
        var content = unsafe place(meta, target, seed: seed)
        if let blocks {
            content = unsafe place(
                blocks,
                target,
                from: bodyStart,
                lsn,
                line,
                content,
                &locations
            )
        }
        let told = durable
        let header = RecordHeader(
            length: UInt32(length),
            kind: kind,
            timeline: line,
            time: time,
            clock: clockTime,
            durable: told,
            blockCount: UInt32(blocks?.count ?? 0),
            metaLength: UInt32(meta.count),
            content: content
        )
        if let base = target.baseAddress { unsafe header.store(to: base, seed: seed) }
        end = lsn + length
        appendedBytes += UInt64(length)
        lastTime = time
        if kind == .mark { lastEndTold = end }
        return Appended(lsn: lsn, time: time, clock: clockTime)
    }

    private func place(
        _ meta: [UInt8],
        _ target: UnsafeMutableRawBufferPointer,
        seed: UInt64
    ) -> UInt64 {
        let end = RecordHeader.size + meta.count
        let area = unsafe UnsafeMutableRawBufferPointer(rebasing: target[RecordHeader.size..<end])
        unsafe area.copyBytes(from: meta)
        for index in end..<RecordHeader.size + aligned(meta.count) { unsafe target[index] = 0 }
        return unsafe Checksum.of(UnsafeRawBufferPointer(area), seed: seed)
    }

    private func place(
        _ blocks: BlockBuffer,
        _ target: UnsafeMutableRawBufferPointer,
        from start: Int,
        _ lsn: LSN,
        _ timeline: TimelineID,
        _ content: UInt64,
        _ locations: inout [Location]
    ) -> UInt64 {
        let body = unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...])
        unsafe body.copyBytes(from: blocks.bytes)
        var content = content
        for index in 0..<blocks.count {
            let offset = blocks.offsets[index]
            var header = blocks.headers[index]
            header.lsn = lsn + (start + offset)
            header.timeline = timeline
            guard let base = body.baseAddress else { break }
            let checksum = unsafe header.store(to: base + offset, seed: blockSeed)
            content = Checksum.fold(content, checksum)
            locations.append(
                Location(
                    lsn: header.lsn,
                    length: header.length,
                    checksum: UInt32(truncatingIfNeeded: checksum)
                )
            )
        }
        return content
    }

    /// Registers a record that was just appended in the index of its segment. Call with `lock`
    /// held, right after appending.
    package func index(_ change: (inout SegmentIndexBuilder) -> Void) {
        change(&activeIndex)
    }

    private func makeRoom(_ length: Int, entries: Int, _ urgency: Urgency) throws(LogError) {
        if urgency != .makingRoom, current.isReserve {
            try checkReserve(against: urgency, beside: 0, ahead: roomAhead(for: urgency))
            if urgency == .ordinary { active?.isReserve = false }
        }
        let limit = current.limit
        let filled = activeIndex.entryCount
        // The end stays below the limit, so that it always lies in the segment that it ends.
        let fits = end + length < limit
        if fits, filled + entries <= options.geometry.maximumEntriesPerSegment { return }
        // An index over its bound only makes a segment that is shorter than it could be.
        if fits, filled == 0 { return }
        try rotate(urgency)
    }

    private func tailChunk(_ length: Int) -> TailChunk {
        if let last = chunks.last, last.end == end, last.count + length <= last.capacity {
            return last
        }
        let chunk = makeChunk(at: end)
        chunks.append(chunk)
        return chunk
    }
}
