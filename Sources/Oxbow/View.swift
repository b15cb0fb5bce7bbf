import PageStorage
import Primitives
import WriteAheadLog

/// A branch as it was at a point: read-only, and kept while this is referenced, also where its
/// point leaves the history that is kept; a branch can be forked from it for as long.
///
///     let past = try main.view(at: main.point(at: .ago(.seconds(600))))
///     let page = try past.read(page: 0, of: table)
public final class View: Sendable {
    /// What the view shows.
    public let point: Point
    let store: Store
    private var core: StoreCore { store.core }
    private let id: UInt64
    let map: PageMap

    init(store: Store, point: Point, map: PageMap) {
        self.store = store
        self.point = point
        self.map = map
        id = store.core.hold(map)
    }

    deinit { core.release(view: id) }

    /// A page as it was; zeros where none was written.
    public func read(page: PageNumber, of object: ObjectID) throws(OxbowError) -> [UInt8] {
        try core.readPage(MapKey(object, page), in: map)
    }

    /// Fills `buffer`, exactly a page long, with a page as it was.
    public func read(
        page: PageNumber,
        of object: ObjectID,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(OxbowError) {
        try unsafe core.readPage(MapKey(object, page), in: map, into: buffer)
    }

    /// Visits the pages of an object that were written, in order, from `first` on, until the body
    /// returns false.
    public func visitPages(
        of object: ObjectID,
        from first: PageNumber = 0,
        _ body: (PageNumber) -> Bool
    ) throws(OxbowError) {
        try core.visitPages(of: object, from: first, in: map, body)
    }
}
