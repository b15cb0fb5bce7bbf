package import DiskIO
import PageStorage
import Timelines
package import WriteAheadLog

extension Store {
    /// Opens the store in a folder, and makes both where they are not there: see
    /// ``StoreOptions/createIfMissing``.
    ///
    /// One process at a time can have a store open. After a crash, everything that was acknowledged
    /// as synced is there again, and every commit whole or not at all.
    public static func open(
        _ path: String,
        _ options: StoreOptions = StoreOptions()
    ) throws(OxbowError) -> Store {
        try options.check()
        try OxbowError.checkPath(path, "open")
        let disk: LocalDisk
        do throws(DiskError) {
            // Looked at first without holding it, which would leave a file in the folder.
            if !options.createIfMissing { try requireStore(on: LocalDisk(reading: path)) }
            disk = try LocalDisk(path, create: options.createIfMissing)
        } catch {
            throw openingError(error, path, options)
        }
        return try open(disk, SystemClock(), options, entropy: Entropy(SystemEntropy.draw))
    }

    /// A store in memory, gone with its last reference. Past its limit it is full.
    public static func temporary(
        limit: Int = 256 << 20,
        _ options: StoreOptions = StoreOptions()
    ) throws(OxbowError) -> Store {
        try options.check(temporary: limit)
        var options = options
        options.createIfMissing = true
        // Small segments, so that little memory can be reclaimed too.
        while options.segmentBits > 16, limit >> options.segmentBits < 16 {
            options.segmentBits -= 1
        }
        options.cacheBytes = min(options.cacheBytes, max(1 << 20, limit / 8))
        // Memory that is written is no faster to write again.
        options.zeroAheadBytes = 0
        let disk = MemoryDisk(limit: UInt64(limit))
        return try open(disk, SystemClock(), options, entropy: Entropy(SystemEntropy.draw))
    }

    /// Throws where the folder holds nothing of a store. A store that lost its superblock is one.
    private static func requireStore(on disk: any Disk) throws(DiskError) {
        let isStore = try disk.list().contains {
            $0 == Superblock.fileName || SegmentSpan(fileName: $0) != nil
        }
        if !isStore { throw .notFound(operation: "look for a store in \(disk.place)") }
    }

    private static func openingError(
        _ error: DiskError,
        _ place: String,
        _ options: StoreOptions
    ) -> OxbowError {
        switch error {
        case .notFound:
            let missing =
                options.createIfMissing ? "the folder above it is not there" : "there is no store"
            return OxbowError(.notFound, "open \(place): \(missing)")
        case .exists:
            return OxbowError(
                .conflict,
                "open \(place): a symbolic link that leads nowhere stands there"
            )
        default: return OxbowError(opening: "open \(place)", .disk(error))
        }
    }

    /// Opens the store on a disk that may be simulated.
    package static func open(
        _ disk: any Disk,
        _ clock: any Clock,
        _ options: StoreOptions,
        entropy: Entropy
    ) throws(OxbowError) -> Store {
        try options.check()
        let geometry = Geometry(pageSize: options.pageSize, segmentBits: options.segmentBits)
        if !options.createIfMissing {
            do throws(DiskError) { try requireStore(on: disk) } catch {
                throw openingError(error, disk.place, options)
            }
        }
        let core: StoreCore
        var problem: CheckProblem?
        do throws(LogError) {
            core = try Opening(disk, clock, options, entropy).run(geometry, &problem)
        } catch {
            var told = OxbowError(opening: "open \(disk.place)", error)
            if case .damaged(let damage) = error {
                // What comes before the segments is the superblock.
                told.problem =
                    problem
                    ?? CheckProblem(
                        lsn: damage.lsn,
                        file: Superblock.fileName,
                        what: damage.what
                    )
            }
            throw told
        }
        let store = Store(core)
        if options.upkeep == .automatic { core.startUpkeep() }
        return store
    }
}

/// Random numbers that a store is given when it is opened.
package struct Entropy: Sendable {
    package let store: StoreID
    package let incarnation: UInt64

    package init(_ draw: () -> UInt64) {
        store = StoreID(high: draw(), low: draw())
        incarnation = draw()
    }
}

/// The steps of opening a store.
struct Opening {
    let disk: any Disk
    let clock: any Clock
    let options: StoreOptions
    let entropy: Entropy

    init(_ disk: any Disk, _ clock: any Clock, _ options: StoreOptions, _ entropy: Entropy) {
        self.disk = disk
        self.clock = clock
        self.options = options
        self.entropy = entropy
    }

    /// - Parameter problem: Is set where damage in a segment keeps the store from being opened.
    func run(
        _ geometry: Geometry,
        _ problem: inout CheckProblem?
    ) throws(LogError) -> StoreCore {
        let file = try superblockFile(geometry)
        let (slots, faults) = try LogError.disk { () throws(DiskError) in
            try Superblock.load(file)
        }
        guard let newest = slots.first else {
            throw .damaged(
                Damage(
                    at: .zero,
                    "both superblocks (\(faults.map(\.what).joined(separator: "; ")))"
                )
            )
        }
        var failure: LogError?
        for slot in slots {
            // Anew for each, since damage may show when the log has begun already.
            let (log, files) = makeLog(newest)
            try files.findSpans(before: slot.cut)
            let nodes = NodeSource(
                cache: NodeCache(byteLimit: options.cacheBytes / 4),
                log: log
            )
            do throws(LogError) {
                return try recover(slot, newest, faults, log, files, nodes, file, &problem)
            } catch {
                // The older slot is the way back where the checkpoint itself is damaged.
                guard case .damaged(let damage) = error else { throw error }
                problem = problem ?? CheckProblem(damage, files)
                failure = failure ?? error
            }
        }
        throw failure ?? .damaged(Damage(at: .zero, "no superblock"))
    }

    private func makeLog(_ superblock: Superblock) -> (Log, SegmentFiles) {
        let geometry = superblock.geometry
        let files = SegmentFiles(disk: disk, geometry: geometry, store: superblock.store)
        let room = UInt64(options.checkpointChanges) * 64
        let opening = max(geometry.segmentSize / 4, 64 << 10)
        var logOptions = LogOptions(
            geometry: geometry,
            store: superblock.store,
            incarnation: entropy.incarnation,
            reserveBytes: 3 * geometry.segmentSize + min(room, geometry.segmentSize) + opening,
            openingBytes: opening,
            unflushedLimit: min(16 << 20, Int(geometry.segmentSize))
        )
        let ahead = options.zeroAheadBytes ?? (options.upkeep == .automatic ? 4 << 20 : 0)
        logOptions.zeroAheadBytes = min(ahead, Int(geometry.segmentSize / 8))
        return (Log(disk: disk, clock: clock, options: logOptions, files: files), files)
    }

    /// The superblock's file; made, with the store, where there is none.
    private func superblockFile(_ geometry: Geometry) throws(LogError) -> any File {
        do throws(DiskError) {
            let file = try disk.open(Superblock.fileName)
            // A slot that never reached the disk would have the other one written over next.
            try file.settle()
            return file
        } catch {
            guard case .notFound = error else { throw .disk(error) }
        }
        let names = try LogError.disk { () throws(DiskError) in try disk.list() }
        guard !names.contains(where: { SegmentSpan(fileName: $0) != nil }) else {
            throw .damaged(Damage(at: .zero, "the superblock's file is missing"))
        }
        return try LogError.disk { () throws(DiskError) in
            let name = Superblock.fileName + ".new"
            if names.contains(name) { try disk.remove(name) }
            let file = try disk.create(name)
            var block = Superblock(geometry: geometry, store: entropy.store)
            try block.save(to: file)
            block.sequence = 1
            try block.save(to: file)
            try disk.rename(name, to: Superblock.fileName)
            do throws(DiskError) { try disk.syncFolder() } catch {
                // No later sync would make the name durable: the next opening begins anew.
                do throws(DiskError) { try disk.remove(Superblock.fileName) } catch {}
                throw error
            }
            return try disk.open(Superblock.fileName)
        }
    }

    private func recover(
        _ slot: Superblock,
        _ newest: Superblock,
        _ faults: [Malformed],
        _ log: Log,
        _ files: SegmentFiles,
        _ nodes: NodeSource,
        _ file: any File,
        _ problem: inout CheckProblem?
    ) throws(LogError) -> StoreCore {
        var from = slot
        from.durable = max(slot.durable, newest.durable)
        from.closedCleanly = newest.closedCleanly
        from.highestSegment = max(slot.highestSegment, newest.highestSegment)
        log.appendedBytes = 0
        var catalog = try baseCatalog(from, files)
        // What is below the cut was done before it, nobody knows here when.
        var lastChange = LSN(rawValue: max(1, from.cut.rawValue) - 1)
        let replay = try LogReplay(disk: disk, files: files, superblock: from)
        var recorded = try RecordedClock(catalog, nodes)
        let end: LogEnd
        do throws(LogError) {
            end = try replay.run { step throws(LogError) in
                switch step {
                case .segment(let header): catalog.began(header)
                case .record(let record):
                    log.appendedBytes += UInt64(record.header.length)
                    if record.header.kind.isChange { lastChange = record.lsn }
                    recorded.take(record.header.clock.rawValue)
                    try catalog.replay(record, nodes)
                }
            }
        } catch {
            if case .damaged(let damage) = error, problem == nil {
                problem = CheckProblem(damage, files, catalog, nodes)
            }
            throw error
        }
        try log.begin(after: end)
        catalog.noteSegments(of: log)
        from.sequence = newest.sequence
        let core = StoreCore(
            disk: disk,
            clock: clock,
            options: options,
            log: log,
            nodes: nodes,
            catalog: catalog,
            recorded: recorded,
            superblock: from,
            superblockFile: file
        )
        core.lastChange = lastChange
        // A crash tears a slot while it is written: from an opening, which has begun a segment by
        // then, to the end of a clean close.
        if newest.closedCleanly, newest.durable == end.end, replay.numbers.last == end.segment {
            core.faultsFound = faults
        }
        try core.settleAfterOpening(replay.numbers, keep: end)
        return core
    }

    /// The store as the checkpoint has it.
    private func baseCatalog(
        _ superblock: Superblock,
        _ files: SegmentFiles
    ) throws(LogError) -> Catalog {
        if superblock.checkpoint == .zero {
            let state = CatalogState(window: try window(), denseFrom: .zero, historyFrom: .zero)
            return Catalog(state: state)
        }
        let number = files.geometry.segment(of: superblock.checkpoint)
        let file = try files.file(number)
        var scanner = SegmentScanner(
            file: file.file,
            header: file.header,
            from: superblock.checkpoint
        )
        let record = try LogError.disk { () throws(DiskError) in try scanner.next() }
        guard let record, record.header.kind == .checkpoint else {
            throw .damaged(Damage(at: superblock.checkpoint, "the checkpoint's record"))
        }
        let entry = try record.decode { meta throws(Malformed) in
            var reader = ByteReader(meta)
            return try CheckpointEntry(decoding: &reader)
        }
        var catalog = Catalog(entry)
        catalog.checkpoints.set(entry.key, entry)
        return catalog
    }

    private func window() throws(LogError) -> Window {
        let total = try LogError.disk { () throws(DiskError) in try disk.totalBytes() }
        return Window(
            nanoseconds: UInt64(options.window.wholeNanoseconds),
            bytes: options.windowBytes ?? total / 5
        )
    }
}

extension Superblock {
    /// Whether a file is what a crash left of a superblock, or a segment, in the making.
    static func isDraft(_ name: String) -> Bool {
        guard name.hasSuffix(".new") else { return false }
        let whole = String(name.dropLast(4))
        return whole == fileName || SegmentSpan(fileName: whole) != nil
    }
}

extension StoreCore {
    /// Makes the recovered end durable, takes away what an earlier process left beyond it, and
    /// makes `main` in a new store.
    func settleAfterOpening(_ numbers: [SegmentNumber], keep end: LogEnd) throws(LogError) {
        superblock.sequence += 1
        if end.segment == nil, let first = log.lock.withLock({ log.active?.number }) {
            // What an interrupted making of the store left holds no record: the log begins here.
            superblock.cut = geometry.firstRecord(of: first)
        }
        try save(superblock, closedCleanly: false)
        let names = try LogError.disk { () throws(DiskError) in try disk.list() }
        let leftovers = names.filter(Superblock.isDraft) + log.files.superseded(in: names)
        let last = end.segment
        let beyond = numbers.filter { number in last.map { $0 < number } ?? true }
        do throws(DiskError) {
            for number in beyond {
                log.files.forget(SegmentSpan(number))
                try disk.remove(number.fileName)
            }
            for name in leftovers { try disk.remove(name) }
            if !beyond.isEmpty { try disk.syncFolder() }
        } catch { throw .disk(error) }
        try noteUnindexed(from: superblock.cut)
        let isNew = try catalog.branches.first(from: .first, nodes) == nil
        guard isNew else { return }
        do throws(OxbowError) {
            _ = try change(Author(), urgency: .makingRoom, "make main") { _, _ throws(LogError) in
                .success(
                    .create(name: "main", parent: nil, origin: nil, root: nil, expiry: nil)
                )
            }
            // What the store was made with holds, whatever who opens it next has in mind.
            _ = try change(Author(), urgency: .makingRoom, "keep the window") {
                catalog,
                _ throws(LogError) in
                .success(.window(nil, catalog.state.window))
            }
        } catch { throw .damaged(Damage(at: .zero, error.message)) }
        try log.flush()
    }

    /// The segments that replay went through: a process that crashed left them without an index.
    private func noteUnindexed(from cut: LSN) throws(LogError) {
        let active = log.lock.withLock { log.active?.number }
        try catalog.segments.visit(
            from: Catalog.key(geometry.segment(of: cut).rawValue),
            nodes
        ) { key, entry throws(LogError) in
            let number = SegmentNumber(rawValue: key.low)
            if number != active, entry.end > .zero { unindexed.append((number, entry.end)) }
            return true
        }
    }
}
