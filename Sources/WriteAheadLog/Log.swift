package import DiskIO
package import Primitives
import Synchronization

/// The writer of the log.
///
/// Laws (the numbers are cited in the code):
/// 1. An LSN is handed out once: a new process begins in a segment that no earlier one used.
/// 2. What has been appended is written in order, and a segment is synced before anything in its
///    successor is acknowledged.
/// 3. `written` and `durable` only grow, and `durable <= written <= end`.
/// 4. After a write or sync has failed nothing is acknowledged, ever, by this object.
/// 5. A segment's space is allocated, up to its limit, and its name durable, before its first
///    record is appended: so what was appended can be written, however full the disk gets.
///
/// Lock order: `zeroLock`, `spareLock`, then `flushLock`, then `lock`.
// Safe to share: fields are guarded by the lock named beside them, or atomic.
@usableFromInline
package final class Log: @unchecked Sendable {
    package let disk: any Disk
    package let clock: any Clock
    package let options: LogOptions
    package let files: SegmentFiles
    let blockSeed: UInt64

    /// The critical section of the store: positions, times, the maps and the tail are one step.
    package let lock = Lock()
    /// Guarded by `lock`: where the next record goes.
    package internal(set) var end: LSN
    /// Guarded by `lock`: how many bytes of records this process has appended, or replayed.
    package var appendedBytes: UInt64 = 0
    /// Guarded by `lock`: how much of the disk was free when that was last looked at.
    package var freeBytes: UInt64 = .max
    /// Guarded by `lock`: the time of the last record.
    package internal(set) var lastTime: LogTime
    /// Guarded by `lock`; nil while an earlier process's log is being read.
    package internal(set) var active: ActiveSegment?
    /// Guarded by `lock`: what is not in the files yet, lowest first; the last one is appended to.
    var chunks: [TailChunk] = []
    /// Guarded by `lock`: a few empty pieces of memory for the next ones.
    var keptMemory: [TailMemory] = []
    /// Guarded by `lock`: the next segment, where it has been made.
    var spare: (number: SegmentNumber, file: any File)?
    /// Guarded by `lock`.
    var failure: DiskError?
    /// Guarded by `lock`: nothing is appended any more.
    var isShut = false
    /// Guarded by `lock`: the index of the active segment, and those of segments before it that
    /// have no closing index yet.
    var activeIndex = SegmentIndexBuilder()
    var openIndexes: [SegmentNumber: SegmentIndexBuilder] = [:]
    /// Guarded by `lock`: segments that are full and wait for their closing index.
    package internal(set) var sealedSegments: [SealedSegment] = []
    /// Guarded by `lock`: no mark is needed while the log ends here.
    var lastEndTold: LSN = .zero

    let writtenPosition: Atomic<UInt64>
    let durablePosition: Atomic<UInt64>
    /// Up to where a writer last waited for the disk.
    let awaitedPosition = Atomic<UInt64>(0)

    let flushLock = Lock()
    /// Guarded by `flushLock`: somebody writes and syncs.
    var isFlushing = false
    /// Guarded by `flushLock`: those who wait for the next flush, as long as others can join them.
    var gathering: FlushBatch?
    /// Guarded by `flushLock`: how many the last flush served.
    var lastServed = 0
    /// Guarded by `flushLock`: how long it took.
    var lastFlushNanoseconds: UInt64 = 0

    /// Held while zeros are written ahead, and by who writes something else behind the records.
    let zeroLock = Lock()
    /// Guarded by `zeroLock`: what they are written through.
    var zeroFile: (number: SegmentNumber, file: any File)?
    /// Guarded by `lock`: up to here the active segment's blocks are written.
    var zeroed: LSN = .zero
    /// Guarded by `lock`: from here on zeros are being written at this moment.
    var zeroing: LSN?
    /// Guarded by `lock`: how much of the spare segment is written.
    var spareZeroed: UInt64 = 0

    let spareLock = Lock()

    /// A log to read from. It can be written to after ``begin(after:)``.
    package init(disk: any Disk, clock: any Clock, options: LogOptions, files: SegmentFiles) {
        self.disk = disk
        self.clock = clock
        self.options = options
        self.files = files
        blockSeed = options.store.blockSeed
        end = .max
        lastTime = .zero
        writtenPosition = Atomic(.max)
        durablePosition = Atomic(.max)
    }

    /// Begins to write after what an earlier process left. Makes the first segment of this one,
    /// whose header records durably where the earlier log ended (law 1). Call once, before any
    /// other thread has this.
    package func begin(after previous: LogEnd) throws(LogError) {
        invariant(active == nil, "a log begins twice")
        let number = previous.highestSegment?.next ?? SegmentNumber(rawValue: 0)
        let isNew = previous.segment == nil
        let (file, byteCount) = try Self.makeFirstSegment(
            number,
            disk,
            options.geometry,
            inPart: !isNew
        )
        lastTime = max(previous.lastTime, LogTime(rawValue: clock.now()))
        let header = SegmentHeader(
            geometry: options.geometry,
            store: options.store,
            number: number,
            incarnation: options.incarnation,
            generation: 0,
            predecessor: previous.segment,
            predecessorEnd: previous.end,
            durable: previous.end,
            begun: lastTime
        )
        do throws(DiskError) {
            try file.write(header.encoded(), at: 0)
            try file.sync()
        } catch { throw .disk(error) }
        freeBytes = try availableBytes()
        active = ActiveSegment(
            number: number,
            header: header,
            file: file,
            limit: options.geometry.base(of: number) + Int(byteCount),
            isReserve: isNew ? false : freeBytes < options.reserveBytes
        )
        end = options.geometry.firstRecord(of: number)
        // Zeros would take what is not allocated.
        if byteCount < options.geometry.segmentSize { zeroed = .max }
        lastEndTold = end
        writtenPosition.store(end.rawValue, ordering: .releasing)
        durablePosition.store(end.rawValue, ordering: .releasing)
        files.adopt(file, for: header)
    }

    /// Everything below is in the files.
    package var written: LSN { LSN(rawValue: writtenPosition.load(ordering: .acquiring)) }
    /// Everything below survives a crash.
    package var durable: LSN { LSN(rawValue: durablePosition.load(ordering: .acquiring)) }

    /// Call with `lock` held.
    package var unflushedBytes: Int { chunks.reduce(0) { $0 + $1.count - $1.flushed } }

    /// Throws why nothing can be done any more, if so. Call with `lock` held.
    package func checkUsable() throws(LogError) {
        if isShut { throw .closed }
        if let failure { throw .poisoned(failure) }
    }

    /// Throws where the log was closed or, after a failed write, where a record at `lsn` may not be
    /// durable.
    package func checkReadable(_ lsn: LSN) throws(LogError) {
        lock.lock()
        defer { lock.unlock() }
        if isShut { throw .closed }
        if let failure, lsn >= durable { throw .poisoned(failure) }
    }

    /// Where what can be read ends: after a failed write, with what is durable.
    package var readableEnd: LSN { lock.withLock { failure == nil ? .max : durable } }

    /// Appends nothing any more: what has been appended is all that is left to write.
    package func stop() { lock.withLock { isShut = true } }

    package func shut() {
        stop()
        files.shut()
    }

    /// Whether the last record does not tell that all before it is durable, though it is. Call with
    /// `lock` held.
    package var wantsMark: Bool {
        active != nil && durable == end && lastEndTold < end && !isShut && failure == nil
    }

    /// Call with `lock` held.
    package var activeNumber: SegmentNumber? { active?.number }

    /// Call with `lock` held. Traps where the log was only opened for reading.
    var current: ActiveSegment {
        guard let active else { preconditionFailure("a log that was not begun is written to") }
        return active
    }

    /// Stops all further writing, as a failed write does.
    package func poison(_ error: DiskError) {
        lock.withLock { if failure == nil { failure = error } }
    }
}

/// The segment that records are appended to.
package struct ActiveSegment: Sendable {
    package let number: SegmentNumber
    package let header: SegmentHeader
    let file: any File
    /// Appending goes up to here.
    let limit: LSN
    /// It was begun while less than the reserve was free: only what makes room may use it.
    var isReserve: Bool
}

/// A segment that is full: nothing will be appended to it.
package struct SealedSegment: Sendable {
    package let number: SegmentNumber
    package let header: SegmentHeader
    package let end: LSN
    let file: any File
}
