#if Server
import BranchServer
import Glibc
import Oxbow

/// A database of another server, or of a dump, copied into a database of a branch: by PostgreSQL's
/// own programs, in one transaction, through the server.
struct DatabaseImport {
    let call: Invocation
    let source: ImportSource
    let branch: String?
    let database: String?

    private var output: Output { call.output }

    func run() throws {
        let name = try database ?? usualName()
        let address = try ServerLink(call: call).address(of: branch, database: "postgres")
        let (home, tool) = (PostgresTool(address), PostgresTool(address).on(database: name))
        let isThere = try home.has(database: name)
        if isThere, try Self.relations(tool) != [] {
            throw Failure(
                "conflict",
                "the database \(name) of \(address.branch) has tables already: say another with "
                    + "--database"
            )
        }
        if !isThere { try home.run("CREATE DATABASE \(PostgresTool.quoted(name))") }
        do { try copy(tool) } catch {
            if !isThere {
                try? home.run("DROP DATABASE \(PostgresTool.quoted(name))")
            } else if let left = try? Self.relations(tool), left != [] {
                output.message(
                    "part of it is in \(name): the script ends transactions itself, as one with "
                        + "large objects does"
                )
            }
            throw error
        }
        let relations = try Self.relations(tool)
        try verify(relations)
        try tool.run("ANALYZE")
        try tool.settle()
        try tell(address.branch, name, relations, tool)
    }

    private func copy(_ tool: PostgresTool) throws {
        switch source {
        case .server(let url): try copyServer(url, tool)
        case .script(let path): try copyScript(path, tool)
        case .archive(let path):
            output.message("restoring \(path.shown): `oxbow status` shows its session")
            let child = try tool.start(
                "pg_restore",
                Self.plain + [
                    "--exit-on-error", "--single-transaction",
                    // As it stands it would be read as an address where it looks like one.
                    "--dbname=" + AddressFormat.keyword("dbname", tool.address.database),
                    RawText.text(path.resolved),
                ]
            )
            try PostgresTool.expectSuccess("pg_restore", child.wait())
        case .cluster: break
        }
    }

    /// Roles belong to a cluster, not to a database, and need not be here.
    private static let plain = ["--no-owner", "--no-privileges"]

    private func copyServer(_ url: String, _ tool: PostgresTool) throws {
        let pipe = try PostgresTool.makePipe()
        defer { close(pipe.reader) }
        let dump: ChildProcess
        do {
            defer { close(pipe.writer) }
            dump = try ChildProcess(
                [PsqlCommand.path(of: "pg_dump")] + Self.plain + ["--dbname=\(url)"],
                results: pipe.writer
            )
        }
        do {
            try feed(Input(ByteStream(pipe.reader)), tool) {
                try PostgresTool.expectSuccess("pg_dump", dump.wait())
            }
        } catch {
            dump.signal(SIGTERM)
            _ = dump.wait()
            throw error
        }
    }

    private func copyScript(_ path: LocalPath, _ tool: PostgresTool) throws {
        let file = try LocalFile.reading(path)
        try feed(Input(ByteStream(file.descriptor)), tool) {}
    }

    private func feed(
        _ input: Input,
        _ tool: PostgresTool,
        _ check: @escaping () throws -> Void
    ) throws {
        let progress = Progress("importing", output)
        defer { progress.finish() }
        let script = WholeScript(input, check)
        try tool.feed(script) { progress.update(Text.bytes($0)) }
        if let failure = script.failure { throw failure }
    }

    /// The name of the database that the source is of.
    private func usualName() throws -> String {
        switch source {
        case .server(let url):
            let sql = "SELECT current_database()"
            let words = [PsqlCommand.path(of: "psql"), "-XAtqc", sql, url]
            return String(try Self.text(of: words).unicodeScalars.dropLast())
        case .archive(let path):
            if let name = try DumpContents(Self.lines(ofDump: path)).database { return name }
            throw Misuse("the dump does not say its database: say --database DB")
        case .script, .cluster:
            throw Misuse("a dump in SQL does not say its database: say --database DB")
        }
    }

    private static func lines(ofDump path: LocalPath) throws -> [String] {
        let program = PsqlCommand.path(of: "pg_restore")
        return try lines(of: [program, "--list", "--create", RawText.text(path.resolved)])
    }

    private static func lines(of words: [String]) throws -> [String] {
        try text(of: words).split(separator: "\n").map(String.init)
    }

    /// What a program prints.
    private static func text(of words: [String]) throws -> String {
        let pipe = try PostgresTool.makePipe()
        let child: ChildProcess
        do { child = try ChildProcess(words, results: pipe.writer) } catch {
            close(pipe.reader)
            close(pipe.writer)
            throw error
        }
        close(pipe.writer)
        defer { close(pipe.reader) }
        var bytes: [UInt8] = []
        let input = Input(ByteStream(pipe.reader))
        while true {
            let part = try input.read(4096)
            if part.isEmpty { break }
            bytes += part
        }
        try PostgresTool.expectSuccess(words[0], child.wait())
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Afterwards

    /// How many of each kind of relation a database has, beside PostgreSQL's own.
    private static func relations(_ tool: PostgresTool) throws -> [String] {
        try tool.rows(relationCounts)
    }

    private static let relationCounts = """
        SELECT relkind, count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
        WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't' \
        AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') \
        GROUP BY relkind ORDER BY relkind
        """

    /// Holds what is there now against what the source has.
    private func verify(_ relations: [String]) throws {
        if case .archive(let path) = source {
            let expected = try DumpContents(Self.lines(ofDump: path)).tables
            let found = Self.tables(relations)
            guard found >= expected else {
                throw Failure(
                    "failed",
                    "the dump has \(Text.count(expected, "table")), and \(found) came: drop the "
                        + "database, and import it again"
                )
            }
        }
        guard case .server(let url) = source else { return }
        let words = [
            PsqlCommand.path(of: "psql"), "-XAtqF", "\t", "-c", Self.relationCounts, url,
        ]
        let others = try Self.lines(of: words)
        guard others == relations else {
            throw Failure(
                "failed",
                "the source has other tables than were copied (\(Self.text(others)), and here "
                    + "\(Self.text(relations))): was it changed meanwhile? Drop the database, "
                    + "and import it again"
            )
        }
    }

    private static func text(_ relations: [String]) -> String {
        relations.map { $0.replacing("\t", with: " ") }.joined(separator: ", ")
    }

    private static func tables(_ relations: [String]) -> Int {
        let kinds: Set = ["r", "p"]
        return relations.reduce(0) { sum, line in
            let cells = line.split(separator: "\t")
            return sum + (kinds.contains(String(cells[0])) ? Int(cells[1]) ?? 0 : 0)
        }
    }

    private func tell(
        _ branch: String,
        _ name: String,
        _ relations: [String],
        _ tool: PostgresTool
    ) throws {
        let tables = Self.tables(relations)
        let size = UInt64(
            try tool.rows("SELECT pg_database_size(current_database())").first ?? ""
        )
        if call.wantsJSON {
            return try output.json([
                "imported": [
                    "branch": .string(branch), "database": .string(name),
                    "tables": JSON(tables), "bytes": JSON(size ?? 0),
                ]
            ])
        }
        try output.line(
            "imported \(Text.count(tables, "table")), \(Text.bytes(size ?? 0)), into the database "
                + "\(name) of \(branch)"
        )
    }
}

/// A script as one transaction, which is committed only where its source came to a good end.
private final class WholeScript: Sequence, IteratorProtocol {
    private enum Part { case begin, middle, over }

    private let input: Input
    private let check: () throws -> Void
    private var part = Part.begin
    /// Why it ended early.
    private(set) var failure: (any Error)?
    private static let pieceBytes = 64 << 10

    init(_ input: Input, _ check: @escaping () throws -> Void) {
        self.input = input
        self.check = check
    }

    func next() -> [UInt8]? {
        switch part {
        case .begin:
            part = .middle
            return Array("BEGIN;\n".utf8)
        case .middle:
            do {
                let piece = try input.read(Self.pieceBytes)
                if !piece.isEmpty { return piece }
                part = .over
                try check()
                return Array("\nCOMMIT;\n".utf8)
            } catch {
                failure = error
                part = .over
                return nil
            }
        case .over: return nil
        }
    }
}
#endif
