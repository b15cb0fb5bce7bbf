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
            try visitWritten(from: MapKey(object, first), in: map) { key, _ in
                key.high == object.rawValue && body(PageNumber(key.low))
            }
        }
    }

    /// Visits the written pages of an object in order, each with its first `count` bytes.
    func visitPages(
        of object: ObjectID,
        from first: PageNumber,
        in map: PageMap,
        reading count: Int,
        _ body: (PageNumber, UnsafeRawBufferPointer) -> Bool
    ) throws(OxbowError) {
        try checkOpen("read the pages of object \(object)")
        try attempt("read the pages of object \(object)") { () throws(LogError) in
            let bytes = UnsafeMutableRawBufferPointer.allocate(
                byteCount: min(count, geometry.pageSize),
                alignment: 16
            )
            defer { unsafe bytes.deallocate() }
            try visitWritten(from: MapKey(object, first), in: map) { key, place throws(LogError) in
                guard key.high == object.rawValue else { return false }
                try unsafe pages.read(place, key, into: bytes)
                return unsafe body(PageNumber(key.low), UnsafeRawBufferPointer(bytes))
            }
        }
    }

    /// Visits all written pages in order, with where each stands.
    func visitWritten(
        from first: MapKey,
        in map: PageMap,
        _ body: (MapKey, Location) throws(LogError) -> Bool
    ) throws(LogError) {
        var walk = try PageWalk(map, from: first, nodes)
        while let (key, location) = try walk.step(), try body(key, location) {}
    }
}
