import PostgresWire

/// What a dump says of itself, as `pg_restore --list --create` prints it:
///
///     ;     dbname: app@pr-1432
///     3344; 1262 16384 DATABASE - app postgres
///     214; 1259 16386 TABLE public t postgres
package struct DumpContents: Sendable, Equatable {
    /// The database that it is of; nil where that is not certain.
    package private(set) var database: String?
    /// How many tables it has.
    package private(set) var tables = 0

    package init(_ lines: [String]) {
        let mark = ";     dbname: "
        let header = lines.first { $0.hasPrefix(mark) }
        let name = header.map { String($0.unicodeScalars.dropFirst(mark.unicodeScalars.count)) }
        var entry: String.UnicodeScalarView?
        for line in lines where !line.hasPrefix(";") {
            // A number, the catalog's, the object's, the kind, and what depends on that.
            let words = line.unicodeScalars.split(
                separator: " ",
                maxSplits: 4,
                omittingEmptySubsequences: false
            )
            guard words.count == 5 else { continue }
            switch (String(words[1]), String(words[3])) {
            case ("1259", "TABLE"): tables += 1
            case ("1262", "DATABASE"): entry = entry ?? String.UnicodeScalarView(words[4])
            default: break
            }
        }
        guard let name else { return }
        database = Self.database(name, entry)
    }

    /// The header has the name by which the database was asked for, which of one that was dumped
    /// through a server of ours has the branch; the entry has its own, and its owner's behind it.
    private static func database(_ name: String, _ entry: String.UnicodeScalarView?) -> String? {
        func isEntry(_ name: String) -> Bool {
            entry?.starts(with: "- \(name) ".unicodeScalars) ?? false
        }
        if !name.utf8.contains(UInt8(ascii: "@")) || isEntry(name) { return name }
        let target = try? ConnectionTarget(parsing: WireString(name))
        return target.map(\.database.text).flatMap { isEntry($0) ? $0 : nil }
    }
}
