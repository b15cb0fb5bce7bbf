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
