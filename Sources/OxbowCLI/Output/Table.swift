/// Rows under headings, in columns as wide as what is in them.
package struct Table {
    package enum Side: Sendable {
        case left, right
    }

    private let headings: [(String, Side)]
    private var rows: [[String]] = []

    package init(_ headings: [(String, Side)]) { self.headings = headings }

    package mutating func add(_ row: [String]) { rows.append(row) }

    package var lines: [String] {
        let all = [headings.map(\.0)] + rows
        let widths = headings.indices.map { column in
            all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return headings[column].1 == .left ? cell + space : space + cell
            }
            return Text.trimmed(cells.joined(separator: "  "))
        }
    }
}

/// Names and what belongs to them, one to a line.
package struct Fields {
    private var rows: [(String, String)] = []

    package init() {}

    package mutating func add(_ name: String, _ value: String?) {
        if let value { rows.append((name, value)) }
    }

    package var lines: [String] {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            Text.trimmed(
                "  \(name)" + String(repeating: " ", count: width - name.count + 2) + value
            )
        }
    }
}
