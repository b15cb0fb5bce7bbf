import DiskIO
import PageStorage
import Primitives
import Timelines
import WriteAheadLog

extension Checker {
    /// Every record from the dense history's start on, whether any map reaches it or not, and the
    /// closing indexes.
    mutating func checkLog() throws(LogError) {
        let dense = catalog.state.denseFrom
        var all: [(SegmentNumber, SegmentEntry)] = []
        try catalog.segments.visit(core.nodes) { key, entry throws(LogError) in
            all.append((SegmentNumber(rawValue: key.low), entry))
            return true
        }
        for (number, entry) in all {
            do throws(LogError) {
                if entry.end > .zero, entry.end <= dense {
                    try checkRewritten(number)
                } else {
                    try checkRecords(number, upTo: entry.end > .zero ? entry.end : .max)
                }
            } catch {
                let place = core.geometry.base(of: number)
                try note(error, Location(lsn: place, length: 0, checksum: 0), nil)
            }
        }
    }

    private mutating func checkRecords(
        _ number: SegmentNumber,
        upTo end: LSN
    ) throws(LogError) {
        let end = min(end, written)
        guard end > core.geometry.base(of: number) else { return }
        let file = try core.log.files.file(number)
        let header = try LogError.disk { () throws(DiskError) in
            try file.file.read(SegmentHeader.size, at: 0)
        }
        do throws(Malformed) { _ = try SegmentHeader.decode(header) } catch {
            report.add(problem("a segment's header: \(error.what)", core.geometry.base(of: number)))
        }
        var scanner = SegmentScanner(file: file.file, header: file.header)
        while scanner.position < end {
            let start = scanner.position
            let record = try LogError.disk { () throws(DiskError) in try scanner.next() }
            guard let record else {
                report.add(problem("a record is not what was written", start))
                return
            }
            report.records += 1
            report.bytes += UInt64(record.header.length)
            if report.records % 4096 == 0 { try goOn() }
        }
        let waits = core.log.lock.withLock { core.unindexed.contains { $0.number == number } }
        if !waits, core.log.withOpenIndex(number, { _ in true }) == nil {
            try checkIndex(number, file.file)
        }
    }

    private mutating func checkIndex(_ number: SegmentNumber, _ file: any File) throws(LogError) {
        let index = try LogError.disk { () throws(DiskError) in
            try SegmentIndex(file, number)
        }
        // A segment of a process that crashed has none, and none is needed.
        guard index == nil else { return }
        let hasFooter = try LogError.disk { () throws(DiskError) in
            try ClosingIndex.load(file, number) != nil
        }
        if hasFooter {
            report.add(
                problem("a closing index that can be built anew", core.geometry.base(of: number))
            )
        }
    }

    private mutating func checkRewritten(_ number: SegmentNumber) throws(LogError) {
        let file: SegmentFile
        do throws(LogError) { file = try core.log.files.file(number) } catch {
            // Nothing in it is live, then, or its nodes and pages say so.
            guard case .damaged(let damage) = error, !damage.what.hasSuffix("is missing") else {
                return
            }
            throw error
        }
        if file.header.generation > 0 { return }
        try checkIndex(number, file.file)
    }

    /// Both slots of the superblock: as they are, and as they were found when the store was opened,
    /// which writes one anew.
    mutating func checkSuperblocks() throws(LogError) {
        core.checkpointLock.lock()
        defer { core.checkpointLock.unlock() }
        let (_, faults) = try LogError.disk { () throws(DiskError) in
            try Superblock.load(core.superblockFile)
        }
        let healed = core.faultsFound.map { "\($0.what) (found when the store was opened)" }
        for what in faults.map(\.what) + healed {
            var problem = problem("a slot of the superblock: \(what)", .zero)
            problem.file = Superblock.fileName
            report.add(problem)
        }
    }

    /// The laws of the catalog: what one map says, the others say too.
    mutating func checkLaws() throws(LogError) {
        var names: [(String, BranchID, TimelineID, TimelineID?, LSN)] = []
        try catalog.branches.visit(core.nodes) { key, entry throws(LogError) in
            let id = BranchID(rawValue: key.low)
            names.append(
                (
                    entry.death == nil ? entry.name : "", id, entry.timeline,
                    entry.origin?.timeline, entry.birth.lsn
                )
            )
            return true
        }
        for (name, id, timeline, origin, place) in names {
            if !name.isEmpty, try catalog.holder(of: name, core.nodes) != .branch(id) {
                report.add(problem("branch \(id) is not found under its name \(name)", place))
            }
            if try catalog.timeline(timeline, core.nodes) == nil {
                report.add(problem("branch \(id) has no timeline \(timeline)", place))
            }
            if let origin, try catalog.timeline(origin, core.nodes) == nil {
                report.add(problem("branch \(id) has no origin \(origin)", place))
            }
        }
    }

    /// Says of each problem which branches, snapshots and points show it.
    mutating func attribute(_ kept: [CheckpointEntry]) throws(LogError) {
        guard !below.isEmpty else { return }
        var holders: [(String, PageMap)] = []
        try catalog.branches.visit(core.nodes) { _, entry throws(LogError) in
            if entry.death == nil, let line = try catalog.timeline(entry.timeline, core.nodes) {
                holders.append((entry.name, line.pages))
            }
            return true
        }
        try catalog.snapshots.visit(core.nodes) { _, entry throws(LogError) in
            if let line = try catalog.timeline(entry.timeline, core.nodes) {
                holders.append((entry.name, line.pages))
            }
            return true
        }
        for (name, map) in holders {
            for problem in problems(shownBy: map) { report.problems[problem].branches.append(name) }
        }
        for checkpoint in kept {
            for problem in below[checkpoint.roots.timelines.lsn.rawValue] ?? [] {
                report.problems[problem].points.append(checkpoint.cut)
            }
        }
    }

    private func problems(shownBy map: PageMap) -> Problems {
        let delta = map.delta
        var shown = (below[map.root.lsn.rawValue] ?? []).filter { problem in
            let place = report.problems[problem]
            // Of a node, more pages are lost than the one it is named by.
            guard lostPages.contains(problem), let object = place.object, let page = place.page
            else { return true }
            return delta[MapKey(object.rawValue, page.rawValue)] == .untouched
        }
        for (_, location) in delta.pages.entries where location != .none {
            shown.formUnion(below[location.lsn.rawValue] ?? [])
        }
        return shown
    }
}

extension Store {
    /// Reads everything live and verifies every checksum and structural law. The store stays in
    /// use meanwhile.
    ///
    /// - Parameter progress: Is told now and then how many bytes were read. It may use the store,
    ///   but what waits for the check's end is refused there: checking, measuring, reclaiming and
    ///   closing.
    public func check(
        progress: @escaping (UInt64) -> Void = { _ in }
    ) throws(OxbowError) -> CheckReport {
        try core.checkNoPass("check the store")
        return try attempt("check the store") { () throws(LogError) in
            try core.log.flush()
            // What is live is not reclaimed in the middle.
            core.passLock.take()
            defer { core.passLock.giveBack() }
            var checker = Checker(core, progress: progress)
            return try checker.run()
        }
    }
}
