import OxbowCLI
import Testing

/// What the commands declare of their JSON is what they print: no key less than that either.
@Suite struct KeyTests {
    @Test func `every declared key is printed`() throws {
        let tool = try Tool.withStore()
        var seen: [String: Set<String>] = [:]
        func run(_ line: String, input: [UInt8]? = nil, code: Int32? = 0) throws {
            let arguments = line.split(separator: " ").map(String.init)
            let outcome = try tool.run(arguments + ["--json"], input: input)
            if let code { #expect(outcome.code == code, "\(line): \(outcome.text)") }
            let command = try #require(
                Commands.table.command(Array(arguments.prefix(2)))
                    ?? Commands.table.command(Array(arguments.prefix(1)))
            )
            seen[command.name, default: []].formUnion(try Document(outcome.bytes).paths)
        }
        try run("init other")
        try run("branch create a --from main --label k=v --expires 1h")
        try run("page write a 1 0", input: page(1, 2))
        for line in [
            "branch list", "branch show a", "branch rename a b", "branch protect b",
            "branch protect b --off", "branch expire b never", "branch reset b --to head",
            "branch undo b", "branch delete b", "branch undelete b", "history b",
            "point main@head", "snapshot create s --of b", "snapshot list", "page read b 1 0",
            "stats", "check", "help point", "version", "window set --time 9d --branch b",
            "window show", "events",
        ] { try run(line) }
        // So that there is a moment before the last record.
        try run("page write main 1 0", input: page(1))
        let first = try tool.json("history", "main", "--from", "oldest").text("records.0.lsn")
        try run("point main@\(first ?? "")")
        for line in ["snapshot delete s", "reclaim", "dump"] { try run(line) }
        let files = try Tool.withFileStore()
        try files.makeFile("tree/inner/a", Array("a".utf8))
        func runFiles(_ line: String, code: Int32 = 0) throws {
            let arguments = line.split(separator: " ").map(String.init)
            let outcome = try files.run(arguments + ["--json"], input: [1, 2, 3])
            #expect(outcome.code == code, "\(line): \(outcome.text)")
            let command = try #require(
                Commands.table.command(Array(arguments.prefix(2)))
                    ?? Commands.table.command(Array(arguments.prefix(1)))
            )
            seen[command.name, default: []].formUnion(try Document(outcome.bytes).paths)
        }
        for line in [
            "import tree main:/tree", "fs put - main:/b", "fs mkdir main:/c", "fs ls main:/tree",
            "fs stat main:/b", "fs cat main:/b", "fs get main:/b b", "fs du main:/",
            "fs rm main:/b", "export main out", "check",
        ] { try runFiles(line) }
        try UpkeepCommandTests.damage(tool)
        try run("check", code: 1)
        try run("dump", code: 1)
        try run("simulate --seeds 1..3", code: nil)
        try run("simulate --replay 1", code: nil)
        try run("simulate --files --seeds 1..2", code: nil)
        for command in Commands.table.commands
        where !ServerCommandTests.names.contains(command.name) {
            let found = seen[command.name] ?? []
            let declared = command.keys.map(\.path)
            let missing = declared.filter { !found.contains($0) && !Self.rare.contains($0) }
            #expect(missing == [], "\(command.name) declares keys that it does not print")
        }
    }

    /// What only a rewritten segment, a deleted range, a failed run or a mount shows.
    static let rare: Set<String> = [
        "items[].blocks[].upTo", "failures[].seed", "failures[].message", "shortcomings[]",
        "problems[].points[]", "volumes[].problems[]", "skipped[]", "failed[]",
        "mounted", "imported.branch", "imported.database", "imported.tables", "imported.bytes",
    ]
}
