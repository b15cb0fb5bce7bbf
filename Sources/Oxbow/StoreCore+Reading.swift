import PageStorage
import Primitives
import Timelines
import WriteAheadLog

extension StoreCore {
    func readPage(
        _ key: MapKey,
        in map: PageMap,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(OxbowError) {
        try checkReadable(key)
        guard buffer.count == geometry.pageSize else {
            throw OxbowError(
                .invalid,
                "read page \(key.low) of object \(key.high): a buffer of \(buffer.count) bytes "
                    + "given, a page has \(geometry.pageSize)"
            )
        }
        do throws(LogError) { try unsafe pages.read(key, in: map, into: buffer) } catch {
            throw OxbowError(error, "read page \(key.low) of object \(key.high)")
        }
    }

    /// Throws where the store was closed, or where there can be no such page.
    func checkReadable(_ key: MapKey) throws(OxbowError) {
        try checkOpen("read page \(key.low) of object \(key.high)")
        try Self.checkNumber(PageNumber(key.low), ObjectID(key.high), "read")
    }

    static func checkNumber(
        _ page: PageNumber,
        _ object: ObjectID,
        _ verb: String
    ) throws(OxbowError) {
        guard page.rawValue < .max else {
            throw OxbowError(
                .invalid,
                "\(verb) page \(page) of object \(object): the highest page is \(UInt64.max - 1)"
            )
        }
    }

    /// What a branch shows now. Nothing keeps it: see ``readHead(_:_:)``.
    func current(
        _ branch: BranchID
    ) throws(OxbowError) -> (timeline: TimelineID, map: PageMap) {
        try attempt("look up branch \(branch)") { () throws(LogError) in
            try critical {
                catalog,
                nodes throws(LogError) -> Result<(TimelineID, PageMap), OxbowError> in
                try head(of: branch, catalog, nodes).map { ($0, $1.pages) }
            }
        }.get()
    }

    /// What a branch shows now, kept until it is unpinned.
    func head(of branch: BranchID) throws(OxbowError) -> Head {
        try attempt("look up branch \(branch)") { () throws(LogError) in
            try critical { catalog, nodes throws(LogError) -> Result<Head, OxbowError> in
                try head(of: branch, catalog, nodes).map { timeline, line in
                    Head(
                        timeline: timeline,
                        last: line.last,
                        map: line.pages,
                        pin: pinHeld(.max, catalog.base)
                    )
                }
            }
        }.get()
    }

    struct Head {
        let timeline: TimelineID
        let last: RecordMark
        let map: PageMap
        let pin: UInt64
    }

    private func head(
        of branch: BranchID,
        _ catalog: Catalog,
        _ nodes: NodeSource
    ) throws(LogError) -> Result<(TimelineID, TimelineEntry), OxbowError> {
        try log.checkUsable()
        guard let entry = try catalog.branch(branch, nodes) else {
            return .failure(Self.noBranch(branch))
        }
        if entry.death != nil { return .failure(Self.deleted(entry)) }
        guard let line = try catalog.timeline(entry.timeline, nodes) else {
            return .failure(Self.noBranch(branch))
        }
        return .success((entry.timeline, line))
    }

    /// Visits the written pages of an object in order.
    func visitPages(
        of object: ObjectID,
        from first: PageNumber,
        in map: PageMap,
        _ body: (PageNumber) -> Bool
    ) throws(OxbowError) {
        try checkOpen("list the pages of object \(object)")
        try attempt("list the pages of object \(object)") { () throws(LogError) in
            try visitKeys(from: MapKey(object, first), in: map) { key in
                key.high == object.rawValue && body(PageNumber(key.low))
            }
        }
    }

    /// Visits the keys of all written pages in order.
    func visitKeys(
        from first: MapKey,
        in map: PageMap,
        _ body: (MapKey) -> Bool
    ) throws(LogError) {
        let reader = MapReader<Location>(nodes, root: map.root)
        var next: MapKey? = first
        // What was deleted as a range is passed over in one step.
        var undeleted = first
        while let from = next {
            let inTree = try reader.first(from: max(from, undeleted))?.key
            let inNewer = map.newer.pages.first(from: from)?.key
            let inOlder = map.older.pages.first(from: from)?.key
            guard let key = [inTree, inNewer, inOlder].compactMap({ $0 }).min() else { return }
            let isWritten =
                switch map[key] {
                case .at: true
                case .deleted: false
                case .untouched: inTree == key
                }
            if isWritten, !body(key) { return }
            if !isWritten, key == inTree {
                undeleted = map.newer.end(ofRangeAt: key) ?? map.older.end(ofRangeAt: key) ?? key
            }
            next = key.successor
        }
    }
}
