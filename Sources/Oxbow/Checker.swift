import DiskIO
import PageStorage
import Primitives
import Timelines
import WriteAheadLog

/// Reads everything live, past all caches, and holds it against its checksums and laws.
struct Checker {
    let core: StoreCore
    let catalog: Catalog
    /// Up to here the log was on the disk when the check began.
    let written: LSN
    let progress: (UInt64) -> Void
    var report = CheckReport()
    private var visited: Set<UInt64> = []
    private var pages: LiveSet
    /// The problems in and below a node or page, by where it stands, for those that have any.
    var below: [UInt64: Problems] = [:]
    /// The problems that are one page each.
    var lostPages: Problems = []

    /// Places in the report.
    typealias Problems = Set<Int>

    init(_ core: StoreCore, progress: @escaping (UInt64) -> Void) {
        self.core = core
        self.progress = progress
        let end: LSN
        // Of one moment: what is made and written later is not looked for.
        (catalog, written, end) = core.log.lock.withLock {
            (core.catalog, core.log.written, core.log.end)
        }
        pages = LiveSet(.zero..<end, core.geometry)
    }

    mutating func run() throws(LogError) -> CheckReport {
        var kept: [CheckpointEntry] = []
        try part { checker throws(LogError) in
            try checker.catalog.checkpoints.visit(checker.core.nodes) { _, entry throws(LogError) in
                kept.append(entry)
                return true
            }
        }
        // The list of the others may be what is damaged.
        try check(catalog.roots)
        for checkpoint in kept { try check(checkpoint.roots) }
        try checkHeads()
        try part { checker throws(LogError) in try checker.checkLog() }
        try part { checker throws(LogError) in try checker.checkSuperblocks() }
        try part { checker throws(LogError) in try checker.checkLaws() }
        try part { checker throws(LogError) in try checker.attribute(kept) }
        return report
    }

    /// Takes a part of the check as far as it goes: where what leads on is damaged, that is noted,
    /// if it is not yet, and the next part is taken.
    private mutating func part(
        _ body: (inout Checker) throws(LogError) -> Void
    ) throws(LogError) {
        do throws(LogError) { try body(&self) } catch {
            guard case .damaged(let damage) = error else { throw error }
            let found = problem(damage.what, damage.lsn)
            let isKnown = report.problems.contains { known in
                known.file == found.file && (known.lsn == found.lsn || known.what == found.what)
            }
            if !isKnown { report.add(found) }
        }
    }

    private mutating func check(_ roots: CatalogRoots) throws(LogError) {
        try walk(roots.timelines, of: TimelineEntry.self) { checker, _, entry throws(LogError) in
            if entry.birth.lsn >= checker.catalog.state.denseFrom {
                try checker.walkPages(entry.birthRoot)
            }
            return try checker.walkPages(entry.pages.root)
        }
        try walk(roots.branches, of: BranchEntry.self) { _, _, _ in [] }
        try walk(roots.names, of: NameEntry.self) { _, _, _ in [] }
        try walk(roots.snapshots, of: SnapshotEntry.self) { _, _, _ in [] }
        try walk(roots.checkpoints, of: CheckpointEntry.self) { _, _, _ in [] }
        try walk(roots.segments, of: SegmentEntry.self) { _, _, _ in [] }
        try walk(roots.events, of: EventEntry.self) { _, _, _ in [] }
        try walk(roots.expiries, of: ExpiryEntry.self) { _, _, _ in [] }
    }

    /// What is in memory, and in the log since the last checkpoint.
    private mutating func checkHeads() throws(LogError) {
        for (_, slot) in catalog.timelines.newer.entries + catalog.timelines.older.entries {
            guard let map = slot?.pages else { continue }
            try walkPages(map.root)
            for (key, location) in map.delta.pages.entries where location != .none {
                try checkPage(location, key)
            }
        }
    }

    @discardableResult
    private mutating func walkPages(_ root: Location) throws(LogError) -> Problems {
        try walk(root, of: Location.self) { checker, key, location throws(LogError) in
            try checker.checkPage(location, key)
        }
    }

    @discardableResult
    private mutating func walk<Value: MapValue>(
        _ root: Location,
        of type: Value.Type,
        _ body: (inout Checker, MapKey, Value) throws(LogError) -> Problems
    ) throws(LogError) -> Problems {
        guard root != .none else { return [] }
        return try walk(root, KeyRange(.first, .last), level: nil, body)
    }

    /// Checks what stands at or below a node, and returns the problems there: also those of what
    /// was met before, since maps share most of it.
    private mutating func walk<Value: MapValue>(
        _ location: Location,
        _ bounds: KeyRange,
        level: Int?,
        _ body: (inout Checker, MapKey, Value) throws(LogError) -> Problems
    ) throws(LogError) -> Problems {
        guard visited.insert(location.lsn.rawValue).inserted else {
            return below[location.lsn.rawValue] ?? []
        }
        var found: Problems = []
        defer { if !found.isEmpty { below[location.lsn.rawValue] = found } }
        let node: MapNode<Value>
        do throws(LogError) { node = try core.nodes.load(location) } catch {
            // Of a root it is not known where its pages begin.
            let isKnown = Value.self == Location.self && bounds.lower > .first
            found = try note(error, location, isKnown ? bounds.lower : nil)
            return found
        }
        report.nodes += 1
        report.bytes += UInt64(location.length)
        let isOrdered = node.keys.first.map { $0 >= bounds.lower } ?? false
        let isBounded = node.keys.last.map { $0 <= bounds.upper } ?? false
        if !isOrdered || !isBounded || level.map({ $0 != node.level }) ?? false {
            found = add("a node that does not fit its parent", location, nil)
        }
        for index in node.children.indices {
            let upper = index + 1 < node.keys.count ? node.keys[index + 1] : bounds.upper
            found.formUnion(
                try walk(
                    node.children[index],
                    KeyRange(node.keys[index], upper),
                    level: node.level - 1,
                    body
                )
            )
        }
        for index in node.values.indices {
            found.formUnion(try body(&self, node.keys[index], node.values[index]))
        }
        return found
    }

    @discardableResult
    private mutating func checkPage(
        _ location: Location,
        _ key: MapKey
    ) throws(LogError) -> Problems {
        guard pages.mark(location) else { return below[location.lsn.rawValue] ?? [] }
        var page = [UInt8](repeating: 0, count: core.geometry.pageSize)
        do throws(LogError) {
            let (header, payload) = try core.log.readBlock(location)
            guard header.kind == .page, header.object == key.high, header.page == key.low else {
                throw .damaged(Damage(at: location.lsn, "another page in the place of one"))
            }
            let isWhole = unsafe payload.withUnsafeBytes { raw in
                unsafe page.withUnsafeMutableBytes { target in
                    unsafe PageCodec.decode(raw, header.encoding, into: target)
                }
            }
            guard isWhole else {
                throw .damaged(Damage(at: location.lsn, "a page that does not decompress"))
            }
        } catch {
            let found = try note(error, location, key)
            below[location.lsn.rawValue] = found
            lostPages.formUnion(found)
            return found
        }
        report.pages += 1
        report.bytes += UInt64(location.length)
        if report.pages % 4096 == 0 { try goOn() }
        return []
    }

    /// Tells how far the check is, and ends it where the store is being closed.
    func goOn() throws(LogError) {
        try core.checkGoing()
        progress(report.bytes)
    }

    /// Notes damage and goes on; other errors end the check.
    @discardableResult
    mutating func note(
        _ error: LogError,
        _ location: Location,
        _ key: MapKey?
    ) throws(LogError) -> Problems {
        switch error {
        case .damaged(let damage): add(damage.what, location, key)
        case .disk(let cause): add("the disk cannot read it (\(cause))", location, key)
        default: throw error
        }
    }

    mutating func add(_ what: String, _ location: Location, _ key: MapKey?) -> Problems {
        var problem = problem(what, location.lsn)
        if let key {
            problem.object = ObjectID(key.high)
            problem.page = PageNumber(key.low)
        }
        report.add(problem)
        return report.isCutShort ? [] : [report.problems.count - 1]
    }

    func problem(_ what: String, _ lsn: LSN) -> CheckProblem {
        CheckProblem(
            lsn: lsn,
            file: core.log.files.span(of: core.geometry.segment(of: lsn)).fileName,
            what: what
        )
    }
}
