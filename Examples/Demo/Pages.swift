import Oxbow

/// A row of a table: its fields, none of which holds a tab, a line break or a zero.
typealias Row = [String]

/// How rows lie in pages: each row is a line, its fields with tabs between them; zeros fill up the
/// page. `oxbow page read` shows them as they are.
enum PageCodec {
    static func encode(_ rows: some Sequence<Row>, pageSize: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pageSize)
        for row in rows { append(row, to: &bytes) }
        bytes.append(contentsOf: repeatElement(0, count: pageSize - bytes.count))
        return bytes
    }

    static func append(_ row: Row, to bytes: inout [UInt8]) {
        for (index, field) in row.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            bytes.append(contentsOf: field.utf8)
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    static func decode(_ page: [UInt8]) -> [Row] {
        page.prefix { $0 != 0 }.split(separator: UInt8(ascii: "\n")).map { line in
            line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

/// Packs rows into pages, in their order.
struct PagePacker {
    let pageSize: Int
    private(set) var pages: [[UInt8]] = []
    private(set) var rowCount = 0
    private var open: [UInt8] = []

    init(pageSize: Int) { self.pageSize = pageSize }

    mutating func append(_ row: Row) {
        let start = open.count
        PageCodec.append(row, to: &open)
        if open.count > pageSize {
            let line = Array(open[start...])
            precondition(line.count <= pageSize, "a row that fits into no page")
            open.removeLast(open.count - start)
            close()
            open = line
        }
        rowCount += 1
    }

    /// Ends the page that is being filled.
    mutating func close() {
        guard !open.isEmpty else { return }
        open.append(contentsOf: repeatElement(0, count: pageSize - open.count))
        pages.append(open)
        open = []
    }
}

/// A table of the catalog: an object of the store.
struct Table: Sendable {
    let name: String
    let object: ObjectID

    static let refreshState = Table(name: "refresh_state", object: ObjectID(1))
    static let finalEntities = Table(name: "final_entities", object: ObjectID(2))
    static let relations = Table(name: "relations", object: ObjectID(3))
    static let search = Table(name: "search", object: ObjectID(4))
    static let locations = Table(name: "locations", object: ObjectID(5))
    static let all = [refreshState, finalEntities, relations, search, locations]

    /// The pages of the table that a view shows, in order.
    func pages(in view: View) throws -> [PageNumber] {
        var pages: [PageNumber] = []
        try view.visitPages(of: object) { page in
            pages.append(page)
            return true
        }
        return pages
    }

    func rows(in view: View) throws -> [Row] {
        try pages(in: view).flatMap { try PageCodec.decode(view.read(page: $0, of: object)) }
    }

    /// A number that stands for all bytes of the table.
    func digest(in view: View) throws -> UInt64 {
        var digest: UInt64 = object.rawValue
        for page in try pages(in: view) {
            digest = digest &* 0x9E37_79B9_7F4A_7C15 &+ page.rawValue
            for byte in try view.read(page: page, of: object) {
                digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        return digest
    }
}
