import DiskIO
import PageStorage
import Primitives
import Synchronization
import Timelines
import WriteAheadLog

extension StoreCore {
    /// What is at its bound in memory: so memory has one, however fast writers are.
    enum Pressure {
        case tail
        case indexes
        case changes
        /// More than a checkpoint, with which all that makes room begins, can surely write down.
        case room
    }

    /// How much waits for the next checkpoint. Call with `log.lock` held.
    private var pendingChanges: Int {
        // In place: reading it through the property would copy the catalog.
        func count(_ catalog: inout Catalog) -> Int { catalog.pendingChanges }
        return count(&catalog)
    }

    /// For how many changes a checkpoint surely has room beside the reserve. Call with `log.lock`
    /// held.
    private var changesThatFit: Int {
        let reserve = log.options.reserveBytes
        let room = log.freeBytes > reserve ? log.freeBytes - reserve : 0
        return max(Self.changesInReserve, Int(clamping: room / Self.bytesOfChange))
    }

    /// A page's entry has at most a leaf, and a node above it, written anew.
    private static let bytesOfChange: UInt64 = 8192
    static let changesInReserve = 8

    /// What must be free for more to be taken in than makes room.
    private var roomNeeded: UInt64 { log.options.reserveBytes + geometry.segmentSize }

    private func roomNeeded(for urgency: Urgency) -> UInt64 {
        urgency == .ordinary ? roomNeeded : log.options.reserve(against: urgency)
    }

    /// Whether more can be written than what makes room. Call with `log.lock` held.
    var hasRoom: Bool { log.freeBytes >= roomNeeded }

    /// Whether a full disk is so near that each commit counts. Call with `log.lock` held.
    var roomIsTight: Bool { changesThatFit < options.checkpointChanges }

    /// What must be written before so many more changes are taken into memory. Call with
    /// `log.lock` held.
    func pressure(adding count: Int) -> Pressure? {
        if log.sealedSegments.count > Self.openIndexLimit { return .indexes }
        let pending = pendingChanges
        if pending >= 2 * options.checkpointChanges { return .changes }
        if pending + count > changesThatFit { return .room }
        return log.unflushedBytes > log.options.unflushedLimit ? .tail : nil
    }

    func relieve(
        _ pressure: Pressure,
        adding count: Int,
        _ urgency: Urgency
    ) throws(LogError) {
        switch pressure {
        case .tail: try log.flush()
        case .indexes:
            try log.flush()
            while try log.writeClosingIndex() {}
        case .changes, .room:
            if pressure == .room { try log.lookAtRoom() }
            checkpointLock.lock()
            defer { checkpointLock.unlock() }
            let (isStill, free) = log.lock.withLock {
                (
                    self.pressure(adding: count) == pressure,
                    log.freeBytes + log.roomAhead(for: urgency)
                )
            }
            guard isStill else { return }
            if pressure == .room {
                let needed = roomNeeded(for: urgency)
                guard free >= needed else { throw .full(available: free, needed: needed) }
                let isWorthIt = log.lock.withLock { pendingChanges > Self.changesInReserve }
                guard isWorthIt else { return }
            }
            try checkpointHeld()
            if pressure == .room { try log.lookAtRoom() }
        }
    }

    /// So many indexes of segments that are full wait in memory for being written, at most.
    private static let openIndexLimit = 4

    /// Whether a checkpoint is due. Call with `log.lock` held.
    private var checkpointIsDue: Bool {
        guard log.active != nil else { return false }
        return pendingChanges >= options.checkpointChanges
            || hasRoom && pendingChanges >= changesThatFit / 2
            || log.appendedBytes - appendedAtCheckpoint >= options.checkpointBytes
    }

    /// Whether the maintenance thread has something to do that should not wait. Call with
    /// `log.lock` held.
    var upkeepIsDue: Bool {
        guard options.upkeep == .automatic else { return false }
        return checkpointIsDue || !log.sealedSegments.isEmpty || log.wantsZeros
            // Early, so that a bulk load and the disk work side by side.
            || log.unflushedBytes > log.options.unflushedLimit / 4
            || (log.roomInSegment.bytes < geometry.segmentSize / 4
                && !log.roomInSegment.hasSpare)
    }

    func wakeUpkeep() {
        upkeepLock.withLock {
            guard !upkeepIsWanted else { return }
            upkeepIsWanted = true
            upkeepLock.wakeAll()
        }
    }

    /// Takes every step that is due: a flush of what is buffered, closing indexes, the next
    /// segment, expiry, a checkpoint, reclaim. Returns whether it did anything.
    @discardableResult
    func step() throws(LogError) -> Bool {
        var didSomething = false
        let unflushed = log.lock.withLock { log.end > log.durable }
        if unflushed {
            let now = clock.monotonic()
            log.lock.withLock { flushedAt = now }
            try log.flush()
            didSomething = true
        }
        while try log.writeClosingIndex() { didSomething = true }
        if try indexOneLeftOver() { didSomething = true }
        try makeSegmentAhead()
        for _ in 0..<Self.zeroPiecesPerStep { guard try log.zeroAhead() else { break } }
        if try expireBranches() { didSomething = true }
        if log.lock.withLock({ checkpointIsDue }) {
            try checkpoint()
            didSomething = true
        }
        if try reclaimIfWorthIt() { didSomething = true }
        if !didSomething {
            log.dropKeptMemory()
            try markIfIdle()
        }
        return didSomething
    }

    /// Keeps the promise to buffered commits in the middle of longer work.
    func flushIfOverdue() throws(LogError) {
        let now = clock.monotonic()
        let isOverdue = log.lock.withLock { () -> Bool in
            let limit = UInt64(options.bufferedFlushMilliseconds) * 1_000_000
            guard now &- flushedAt >= limit else { return false }
            flushedAt = now
            return log.end > log.durable
        }
        if isOverdue { try log.flush() }
    }

    /// So that other steps have their turn.
    private static let zeroPiecesPerStep = 32

    /// Gives a segment of an earlier process its closing index, where it has no sound one.
    @discardableResult
    func indexOneLeftOver() throws(LogError) -> Bool {
        guard let (number, end) = log.lock.withLock({ unindexed.popLast() }) else { return false }
        do throws(LogError) { return try log.writeClosingIndex(of: number, upTo: end) } catch {
            // Damage in it is for readers, and the check, to tell.
            if case .damaged = error { return false }
            throw error
        }
    }

    private func makeSegmentAhead() throws(LogError) {
        let room = log.lock.withLock { log.roomInSegment }
        guard room.bytes < geometry.segmentSize / 4, !room.hasSpare else { return }
        do throws(LogError) { try log.ensureSpare() } catch {
            // Whoever appends hears of a full disk.
            if case .full = error { return }
            throw error
        }
    }

    /// Starts a pass of reclaim where there is much to look at, or room is wanted.
    private func reclaimIfWorthIt() throws(LogError) -> Bool {
        let now = clock.monotonic()
        let (active, isWanted, last) = log.lock.withLock { () in
            if reclaimedAt == nil { reclaimedAt = log.active?.number }
            return (log.active?.number, roomIsWanted && now >= nextSearch, reclaimedAt)
        }
        guard let active, let last, isWanted || active.rawValue >= last.rawValue + 8 else {
            return false
        }
        // Somebody's pass, or check, can take long; what else is due does not wait for its end.
        guard passLock.takeIfFree() else { return false }
        defer { passLock.giveBack() }
        log.lock.withLock {
            roomIsWanted = false
            nextSearch = now &+ Self.pauseAfterNoRoom
        }
        let freed = try pass(thorough: isWanted).freedBytes
        if freed > 0 { log.lock.withLock { nextSearch = 0 } }
        return true
    }

    /// A pass reads all that is live, and who is refused may try again at once.
    private static let pauseAfterNoRoom: UInt64 = 1_000_000_000

    /// An idle store writes one mark, so that the log itself tells what is durable.
    private func markIfIdle() throws(LogError) {
        guard log.lock.withLock({ log.wantsMark }) else { return }
        try critical(urgency: .makingRoom) { _, _ throws(LogError) in
            var locations: [Location] = []
            let appended = try log.append(
                .mark,
                timeline: TimelineID.none,
                locations: &locations,
                urgency: .makingRoom
            )
            index(
                appended,
                .mark,
                .none,
                pages: 0,
                length: log.end.rawValue - appended.lsn.rawValue
            )
        }
        try log.flush()
    }

    /// Deletes what has expired. Returns whether anything was.
    func expireBranches() throws(LogError) -> Bool {
        let now = try retentionTime()
        let due = try look { catalog throws(LogError) -> [BranchID] in
            var due: [BranchID] = []
            try catalog.expiries.visit(nodes) { key, _ throws(LogError) in
                guard key.high <= now.rawValue, due.count < 256 else { return false }
                due.append(BranchID(rawValue: key.low))
                return true
            }
            return due
        }
        for branch in due {
            do throws(OxbowError) {
                try delete(branch, Author("expiry"), evenProtected: true)
            } catch {
                if error.kind == .full || error.kind == .reopen || error.kind == .damaged { break }
            }
        }
        return !due.isEmpty
    }

    func startUpkeep() {
        upkeepLock.withLock { upkeepIsRunning = true }
        WorkerThread.detached { self.upkeepLoop() }
    }

    private func upkeepLoop() {
        while true {
            upkeepLock.lock()
            if !upkeepIsWanted, !upkeepEnds {
                upkeepLock.wait(atMostMilliseconds: options.bufferedFlushMilliseconds)
            }
            let ends = upkeepEnds
            upkeepIsWanted = false
            upkeepLock.unlock()
            if ends { break }
            // Whoever commits next hears of what poisoned the log; a full disk may get room.
            do throws(LogError) { try step() } catch {}
        }
        upkeepLock.withLock {
            upkeepIsRunning = false
            upkeepLock.wakeAll()
        }
    }

    private func stopUpkeep() {
        upkeepLock.lock()
        defer { upkeepLock.unlock() }
        upkeepEnds = true
        upkeepLock.wakeAll()
        while upkeepIsRunning { upkeepLock.wait() }
    }

    /// Writes what is left, and lets others have the folder: nothing in it is changed from then on,
    /// whatever other threads are at.
    func close() throws(LogError) {
        // First, so that no pass begins any more and those under way end.
        let wasClosed = isClosed.exchange(true, ordering: .acquiringAndReleasing)
        stopUpkeep()
        if wasClosed { return }
        defer {
            log.shut()
            disk.release()
        }
        var failure: LogError?
        do throws(LogError) {
            try log.flush()
            try checkpointBeforeClosing()
        } catch { failure = error }
        log.stop()
        // A pass ends where it finds the store closed.
        passLock.take()
        defer { passLock.giveBack() }
        checkpointLock.lock()
        defer { checkpointLock.unlock() }
        if let failure { throw failure }
        if try dropUnusedSegment() { return }
        try log.close()
        superblock.sequence += 1
        try save(superblock, closedCleanly: true)
    }

    /// Leaves nothing to replay: in what is replayed, one damaged record keeps the whole store from
    /// being opened, and elsewhere it costs what it holds. Whoever changed nothing leaves what an
    /// earlier process left, where that is little.
    private func checkpointBeforeClosing() throws(LogError) {
        checkpointLock.lock()
        defer { checkpointLock.unlock() }
        let cut = superblock.cut
        let isWorthIt = log.lock.withLock {
            lastChange >= cut && log.endBeforeUnused == nil
                || pendingChanges >= min(256, options.checkpointChanges)
                || log.appendedBytes - appendedAtCheckpoint >= 1 << 20
        }
        guard isWorthIt else { return }
        do throws(LogError) { try checkpointHeld() } catch {
            // The log is enough, where the disk is full or does not give a node.
            if case .poisoned = error { throw error }
        }
    }

    /// Takes away the segment of a process that appended nothing, so that opening a store to read
    /// it leaves nothing behind. Both superblock slots go back to the end before it first: a crash
    /// in between leaves an empty segment, which is one whose end is its beginning.
    private func dropUnusedSegment() throws(LogError) -> Bool {
        guard let end = log.lock.withLock({ log.endBeforeUnused }) else { return false }
        for _ in 0..<2 {
            superblock.sequence += 1
            try save(superblock, closedCleanly: true, durable: end)
        }
        try log.dropActive()
        return true
    }

    /// Closes what nobody refers to any more.
    func shutDown() {
        // Nobody is left to hear of it; the next opening recovers.
        do throws(LogError) { try close() } catch {}
    }
}
