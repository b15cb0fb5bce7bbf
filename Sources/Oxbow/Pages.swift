import PageStorage
import WriteAheadLog

/// The pages of a branch at one moment, for the reads of one operation. What it shows is kept while
/// this is there, and so is the history since: a ``View`` is for longer.
package struct Pages: Sendable {
    let store: Store
    let map: PageMap
    /// Nil where a view holds the map.
    let pin: Pin?

    /// Fills `buffer`, exactly a page long, with a page; with zeros where none was written.
    package func read(
        page: PageNumber,
        of object: ObjectID,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(OxbowError) {
        try unsafe store.core.readPage(MapKey(object, page), in: map, into: buffer)
    }

    /// A page; nil where none was written.
    package func page(_ page: PageNumber, of object: ObjectID) throws(OxbowError) -> [UInt8]? {
        let key = MapKey(object, page)
        let isThere = try isWritten(page, of: object)
        return isThere ? try store.core.readPage(key, in: map) : nil
    }

    /// Whether a page was written, and not deleted since.
    package func isWritten(_ page: PageNumber, of object: ObjectID) throws(OxbowError) -> Bool {
        try attempt("look up page \(page) of object \(object)") { () throws(LogError) in
            try store.core.pages.locate(MapKey(object, page), in: map) != nil
        }
    }

    /// The first page at or after `page` that was written.
    package func firstWritten(
        from page: PageNumber,
        of object: ObjectID
    ) throws(OxbowError) -> PageNumber? {
        var found: PageNumber?
        try visit(of: object, from: page) { page in
            found = page
            return false
        }
        return found
    }

    /// Visits the written pages of an object in order, until the body returns false.
    package func visit(
        of object: ObjectID,
        from first: PageNumber = 0,
        _ body: (PageNumber) -> Bool
    ) throws(OxbowError) {
        try store.core.visitPages(of: object, from: first, in: map, body)
    }

    /// Visits the written pages of an object in order, each with its first `count` bytes, until the
    /// body returns false.
    package func visit(
        of object: ObjectID,
        from first: PageNumber,
        reading count: Int,
        _ body: (PageNumber, UnsafeRawBufferPointer) -> Bool
    ) throws(OxbowError) {
        try unsafe store.core.visitPages(of: object, from: first, in: map, reading: count, body)
    }

    /// The first object at or after `object` that has a written page.
    package func firstObject(from object: ObjectID) throws(OxbowError) -> ObjectID? {
        var found: ObjectID?
        try attempt("list objects from \(object) on") { () throws(LogError) in
            try store.core.visitWritten(from: MapKey(object, 0), in: map) { key, _ in
                found = ObjectID(key.high)
                return false
            }
        }
        return found
    }
}

extension View {
    /// What the view holds: as long as the view is.
    package var pages: Pages { Pages(store: store, map: map, pin: nil) }
}
