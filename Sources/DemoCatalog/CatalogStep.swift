/// One thing to do on a connection, in order, to make a catalog.
package enum CatalogStep: Sendable {
    /// A statement, to be sent alone and outside of a transaction.
    case statement(String)
    /// `COPY ... FROM STDIN`, and the rows that follow it.
    case copy(String, CatalogRows)

    /// The table whose rows it brings.
    package var table: CatalogTable? {
        if case .copy(_, let rows) = self { rows.table } else { nil }
    }
}

/// All steps as the bytes of a script that psql takes on its standard input.
package struct CatalogScript: Sequence, IteratorProtocol, Sendable {
    private var steps: ArraySlice<CatalogStep>
    private var rows: CatalogRows?

    init(_ steps: [CatalogStep]) { self.steps = steps[...] }

    /// The next piece, of about 64 KiB at most.
    package mutating func next() -> [UInt8]? {
        if var rows {
            let piece = rows.next()
            self.rows = piece == nil ? nil : rows
            return piece ?? Array("\\.\n".utf8)
        }
        switch steps.popFirst() {
        case .statement(let sql)?: return Array((sql + ";\n").utf8)
        case .copy(let sql, let rows)?:
            self.rows = rows
            return Array((sql + ";\n").utf8)
        case nil: return nil
        }
    }
}
