import Foundation
import OxbowCLI
import Testing

/// Databases whose names mean something to those who pass them on.
@Suite(
    .serialized,
    .enabled(if: ServedTool.isPossible, "PostgreSQL, FUSE or root is missing: nothing was served")
)
struct OddNameTests {
    /// An accent makes one letter of itself and the mark before it, which is still a mark.
    static let names = [
        "a\nb", "a\r\n b", "it's", "'\u{301} x='y", "\"\u{301}", "\\\u{301}", "a@\u{301}b", "a@b",
        "%41?x=y#z", "a b+c&d;e", "\u{301}",
    ]

    private static func quoted(_ name: String) -> String {
        "\"" + name.unicodeScalars.map { $0 == "\"" ? "\"\"" : "\($0)" }.joined() + "\""
    }

    private static let table = "CREATE TABLE t AS SELECT 7 n"
    private static let ask = "SELECT current_database()"

    private func psql(
        _ tool: Tool,
        _ branch: String,
        _ sql: String,
        database: String = "postgres"
    ) throws -> String {
        let said = try tool.run("psql", branch, "-d", database, "--", "-XAtqc", sql)
        #expect(said.code == 0, "\(said.messages)")
        return String(said.text.unicodeScalars.dropLast())
    }

    @Test func `a dump goes into the database that is named, on the branch that is named`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        defer { _ = server.end() }
        try tool.lines("branch", "create", "source", "--from", "main")
        let trap = "dbname=postgres options='-c oxbow.branch=main'"
        for name in [trap, "p@q=r"] {
            _ = try psql(tool, "source", "CREATE DATABASE \(Self.quoted(name))")
            _ = try psql(tool, "source", Self.table, database: name)
        }
        func dump(_ name: String, _ file: String, _ variables: String = "") throws {
            let script = "\(variables) pg_dump -Fc -f \(file)"
            let words = ["run", "--fork", "source", "-d", name, "--", "sh", "-c", script]
            let said = try tool.run(words)
            #expect(said.code == 0, "\(said.messages)")
        }
        try dump(trap, "trap.dump")
        try dump("p@q=r", "ours.dump")
        // As from another server, which knows of no branches.
        let options = "PGOPTIONS=\"-c oxbow.branch=$OXBOW_BRANCH\""
        try dump("p@q=r", "others.dump", "PGDATABASE=p@q=r \(options)")
        let cases: [(String, into: String?, String)] = [
            ("trap.dump", nil, trap), ("trap.dump", "dbname=postgres", "dbname=postgres"),
            ("trap.dump", "postgresql://nowhere/x", "postgresql://nowhere/x"),
            ("ours.dump", nil, "p@q=r"), ("others.dump", nil, "p@q=r"),
        ]
        for (number, (file, into, name)) in cases.enumerated() {
            try tool.lines("branch", "create", "into-\(number)", "--from", "main")
            let branch = "into-\(number)"
            let told =
                try into.map {
                    try tool.json("import", "--from", file, "--into", branch, "-d", $0)
                } ?? tool.json("import", "--from", file, "--into", branch)
            #expect(told.text("imported.database") == name)
            #expect(told.number("imported.tables") == 1)
            let sql = "SELECT n FROM t"
            #expect(try psql(tool, "into-\(number)", sql, database: name) == "7")
            let count = "SELECT count(*) FROM pg_tables WHERE tablename = 't'"
            #expect(try psql(tool, "into-\(number)", count) == "0")
            #expect(try psql(tool, "main", count) == "0")
        }
    }

    @Test func `every way to a database leads to it, whatever its name`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        defer { _ = server.end() }
        var addresses: [String] = []
        for name in Self.names {
            _ = try psql(tool, "main", "CREATE DATABASE \(Self.quoted(name))")
            #expect(try psql(tool, "main", Self.ask, database: name) == name)
            for form in ["uri", "libpq"] {
                let said = try tool.run("url", "main", "-d", name, "--format", form).text
                addresses.append(String(said.unicodeScalars.dropLast()))
            }
        }
        // As the programs read them.
        let script = "for a; do psql -XAtqc '\(Self.ask)' \"$a\"; printf '\\0'; done"
        let words = ["run", "--fork", "main", "-d", Self.names[0], "--", "sh", "-c"]
        let said = try tool.run(words + [script, "sh"] + addresses)
        let found = said.text.unicodeScalars.split(separator: "\0").map(String.init)
        #expect(found == Self.names.flatMap { ["\($0)\n", "\($0)\n"] }, "\(said.messages)")
        let own = try tool.run(words + ["psql -XAtqc '\(Self.ask)'"])
        #expect(own.text == Self.names[0] + "\n", "\(own.messages)")
    }
}
