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

    /// What a branch shows now, for one read.
    func currentMap(of branch: BranchID) throws(OxbowError) -> PageMap {
        try attempt("look up branch \(branch)") { () throws(LogError) in
            try critical { catalog, nodes throws(LogError) -> Result<PageMap, OxbowError> in
                try log.checkUsable()
                guard let entry = try catalog.branch(branch, nodes) else {
                    return .failure(Self.noBranch(branch))
                }
                if entry.death != nil { return .failure(Self.deleted(entry)) }
                guard let line = try catalog.timeline(entry.timeline, nodes) else {
                    return .failure(Self.noBranch(branch))
                }
                return .success(line.pages)
            }
        }.get()
    }

    /// Visits the written pages of an object in order.
    func visitPages(
        of object: ObjectID,
        from first: PageNumber,
        in map: PageMap,
        _ body: (PageNumber) -> Bool
    ) throws(OxbowError) {
        try attempt("list the pages of object \(object)") { () throws(LogError) in
            let delta = map.delta
            let reader = MapReader<Location>(nodes, root: map.root)
            let end = MapKey(object, PageNumber(.max))
            var next: MapKey? = MapKey(object, first)
            while let from = next {
                let inTree = try reader.first(from: from)?.key
                let inDelta = delta.pages.first(from: from)?.key
                guard let key = [inTree, inDelta].compactMap({ $0 }).min(), key < end else {
                    return
                }
                let answer = delta[key]
                let isWritten = answer == .untouched ? inTree == key : answer != .deleted
                if isWritten, !body(PageNumber(key.low)) { return }
                next = key.successor
            }
        }
    }
}
