import DiskIO
package import Primitives

extension Log {
    /// The first segment of a process, and how much of it can be written. Where there is no room
    /// for all of it, that is a part of what is free: a full store can still be opened, read, and
    /// rid of branches.
    static func makeFirstSegment(
        _ number: SegmentNumber,
        _ disk: any Disk,
        _ geometry: Geometry,
        inPart: Bool
    ) throws(LogError) -> (file: any File, byteCount: UInt64) {
        do throws(LogError) {
            return (try makeSegment(number, disk, geometry), geometry.segmentSize)
        } catch {
            guard inPart, case .full(let available, _) = error else { throw error }
            // Another part is for the opening after a crash, and the closing index.
            let part = min(available / 2, geometry.segmentSize) & ~4095
            guard part >= smallestPart else {
                throw .full(available: available, needed: 2 * smallestPart)
            }
            let file = try makeSegment(number, disk, geometry, allocating: part)
            return (file, part / 4 * 3)
        }
    }

    /// Enough for a header and the deletion of many branches.
    private static var smallestPart: UInt64 { 16 << 10 }

    private static func makeSegment(
        _ number: SegmentNumber,
        _ disk: any Disk,
        _ geometry: Geometry,
        allocating part: UInt64? = nil
    ) throws(LogError) -> any File {
        do throws(DiskError) {
            let file = try disk.create(number.fileName)
            do throws(DiskError) {
                try file.allocate(part ?? geometry.segmentSize)
                if part != nil { try file.truncate(to: geometry.segmentSize) }
                // A segment is never shorter again before its closing index is durable, so a file
                // that is can be told from one whose tail was never written.
                try file.sync()
                try disk.syncFolder()
                return file
            } catch {
                // What is left of it holds no record; the next opening takes it away.
                do throws(DiskError) { try disk.remove(number.fileName) } catch {}
                throw error
            }
        } catch {
            if case .full = error {
                let available = (try? disk.availableBytes()) ?? 0
                throw .full(available: available, needed: geometry.segmentSize)
            }
            throw .disk(error)
        }
    }

    /// Makes the next segment unless it is there. Call without `lock`.
    ///
    /// - Parameter urgency: How much of the reserve what it is made for may use.
    package func ensureSpare(_ urgency: Urgency = .ordinary) throws(LogError) {
        spareLock.lock()
        defer { spareLock.unlock() }
        let wanted = try lock.withLock { () throws(LogError) in
            try checkUsable()
            return spare == nil ? current.number.next : nil
        }
        guard let wanted else { return }
        try checkReserve(against: urgency, beside: options.geometry.segmentSize)
        let file = try Self.makeSegment(wanted, disk, options.geometry)
        try lookAtRoom()
        lock.withLock {
            invariant(spare == nil && wanted == current.number.next, "two spare segments")
            spare = (wanted, file)
            spareZeroed = 0
        }
    }

    /// Throws where less than the reserve, and what is asked for beside it, is free.
    ///
    /// - Parameter ahead: What counts as free, too.
    func checkReserve(
        against urgency: Urgency,
        beside needed: UInt64,
        ahead: UInt64 = 0
    ) throws(LogError) {
        let kept = options.reserve(against: urgency)
        let available = try availableBytes() + ahead
        guard available >= kept + needed else {
            throw .full(available: available, needed: kept + needed)
        }
    }

    /// Finds out how much of the disk is free.
    package func lookAtRoom() throws(LogError) {
        let free = try availableBytes()
        lock.withLock { freeBytes = free }
    }

    func availableBytes() throws(LogError) -> UInt64 {
        do throws(DiskError) { return try disk.availableBytes() } catch { throw .disk(error) }
    }

    /// Goes on in the spare segment. Call with `lock` held.
    func rotate(_ urgency: Urgency) throws(LogError) {
        guard let next = spare else { throw .needsSegment }
        if urgency != .makingRoom {
            try checkReserve(against: urgency, beside: 0, ahead: roomAhead(for: urgency))
        }
        let isReserve =
            urgency == .ordinary ? false : try availableBytes() < options.reserveBytes
        let header = SegmentHeader(
            geometry: options.geometry,
            store: options.store,
            number: next.number,
            incarnation: options.incarnation,
            generation: 0,
            predecessor: current.number,
            predecessorEnd: end,
            durable: durable,
            begun: lastTime
        )
        sealedSegments.append(
            SealedSegment(
                number: current.number,
                header: current.header,
                end: end,
                file: current.file
            )
        )
        openIndexes[current.number] = activeIndex
        activeIndex = SegmentIndexBuilder()
        active = ActiveSegment(
            number: next.number,
            header: header,
            file: next.file,
            limit: options.geometry.base(of: next.number.next),
            isReserve: isReserve
        )
        spare = nil
        let base = options.geometry.base(of: next.number)
        let chunk = makeChunk(at: base)
        unsafe chunk.extend(by: SegmentHeader.size).copyBytes(from: header.encoded())
        chunks.append(chunk)
        end = base + SegmentHeader.size
        zeroed = base + Int(spareZeroed)
        files.adopt(next.file, for: header)
    }

    /// Leaves the active segment where the next one is made, and returns whether it did. Call with
    /// `lock` held.
    package func goOnInSpare() throws(LogError) -> Bool {
        try checkUsable()
        guard spare != nil else { return false }
        try rotate(.makingRoom)
        return true
    }

    /// How much of the active segment is left, and whether the next one is made. Call with `lock`
    /// held.
    package var roomInSegment: (bytes: UInt64, hasSpare: Bool) {
        (current.limit.rawValue - end.rawValue, spare != nil)
    }

    /// How many bytes are allocated for the log to go on in. Call with `lock` held.
    package var roomAhead: UInt64 {
        roomInSegment.bytes + (spare == nil ? 0 : options.geometry.segmentSize)
    }

    /// How much of that counts as free. Who deletes must leave a checkpoint its room, which may be
    /// there; others leave it as it is. Call with `lock` held.
    package func roomAhead(for urgency: Urgency) -> UInt64 {
        urgency == .deleting ? roomAhead : 0
    }

    /// Gives back the segment that was made ahead.
    package func dropSpare() throws(LogError) {
        // No zeros are on their way into it meanwhile.
        zeroLock.lock()
        defer { zeroLock.unlock() }
        zeroFile = nil
        spareLock.lock()
        defer { spareLock.unlock() }
        let unused = lock.withLock { () -> SegmentNumber? in
            defer { spare = nil }
            return spare?.number
        }
        guard let unused else { return }
        try LogError.disk { () throws(DiskError) in
            try disk.remove(unused.fileName)
            try disk.syncFolder()
        }
    }

    /// Forgets a segment whose closing index is in its file now.
    package func indexWasWritten(_ number: SegmentNumber) {
        lock.withLock {
            openIndexes[number] = nil
            sealedSegments.removeAll { $0.number == number }
        }
    }

    /// Runs a look-up in the index of a segment that has no closing index yet; nil for others.
    package func withOpenIndex<Result>(
        _ segment: SegmentNumber,
        _ body: (inout SegmentIndexBuilder) -> Result
    ) -> Result? {
        lock.lock()
        defer { lock.unlock() }
        if segment == activeNumber { return body(&activeIndex) }
        guard openIndexes[segment] != nil else { return nil }
        return body(&openIndexes[segment, default: SegmentIndexBuilder()])
    }

    /// Lets an index be kept for a segment of an earlier process until it is in the file.
    package func adopt(_ index: SegmentIndexBuilder, for number: SegmentNumber) {
        lock.withLock { openIndexes[number] = index }
    }

    /// Gives back what the active segment does not need and the segment made ahead. The last act.
    package func close() throws(LogError) {
        try flush()
        try writeLastIndex()
        try dropSpare()
    }
    /// Where the log ended before a segment to which nothing was appended; nil where something
    /// was, or where it is the first. Call with `lock` held.
    package var endBeforeUnused: LSN? {
        guard let active, end == options.geometry.firstRecord(of: active.number),
            active.header.predecessor != nil, sealedSegments.isEmpty
        else { return nil }
        return active.header.predecessorEnd
    }

    /// Removes the active segment, to which nothing was appended. The last act.
    package func dropActive() throws(LogError) {
        let number = lock.withLock { current.number }
        invariant(lock.withLock { endBeforeUnused } != nil, "segment \(number) is dropped and used")
        try dropSpare()
        files.forget(SegmentSpan(number))
        try LogError.disk { () throws(DiskError) in
            try disk.remove(number.fileName)
            try disk.syncFolder()
        }
    }
}
