import Foundation
import OxbowCLI
import Testing

/// The same words to a store that a server has open, and to one that nobody has.
@Suite struct HostedCommandTests {
    /// A command line, and what goes to its standard input.
    struct Step: Sendable {
        let words: [String]
        let input: [UInt8]?

        init(_ line: String, _ input: [UInt8]? = nil) {
            words = line.split(separator: " ").map(String.init)
            self.input = input
        }
    }

    /// One command after the other, right ones and wrong ones, text and JSON.
    static let story: [Step] = [
        Step("branch list"), Step("branch create a --from main --label ticket=7"),
        Step("branch create a --from main"), Step("branch create b --from a@head"),
        Step("branch list --tree"), Step("branch show a"), Step("branch list --json"),
        Step("branch rename b c"), Step("branch protect c"), Step("branch delete c"),
        Step("branch protect c --off"), Step("branch expire c 1h"), Step("branch delete c"),
        Step("branch undelete c"), Step("branch delete nobody"), Step("branch list --all"),
        Step("fs put - a:/from-pipe", Array("in\n".utf8)), Step("fs put here.txt a:/"),
        Step("fs put ./here.txt a:/deep/er"), Step("fs mkdir -p a:/deep/er"),
        Step("fs put sub/../here.txt a:/deep/er/"), Step("fs ls a:/"), Step("fs ls -l a:/deep"),
        Step("fs cat a:/here.txt"), Step("fs stat a:/deep/er/here.txt"), Step("fs du a:/"),
        Step("fs get a:/here.txt there.txt"), Step("fs get a:/here.txt sub"),
        Step("fs get a:/here.txt -"), Step("fs get a:/none -"), Step("fs cat a:/here.txt --json"),
        Step("import sub a:/tree"), Step("import nothing a:/other"), Step("export a:/tree out"),
        Step("export a:/tree out"), Step("export a:/tree nowhere/out"), Step("fs rm a:/deep"),
        Step("fs rm -r a:/deep"), Step("fs put gone.txt a:/x"),
        Step("snapshot create s1 --of a"), Step("snapshot list"), Step("fs rm a:/here.txt"),
        Step("fs cat a@s1:/here.txt"), Step("branch reset a --to s1"), Step("fs ls a:/"),
        Step("branch undo a"), Step("fs ls a:/"), Step("snapshot delete s1"),
        Step("page write main 1 0 --pad", Array("page".utf8)), Step("page write main 1 0", [1]),
        Step("page read main 1 0"), Step("page read main 1 0 --json"), Step("history a -n 3"),
        Step("point a"), Step("point a@s1"), Step("window show"), Step("events"),
        Step("window set --time 3d --bytes 1G"), Step("stats --json"), Step("check"),
        Step("reclaim --json"), Step("branch"),
        Step("fs lss a:/"), Step("history"), Step("history nobody --json"),
        Step("branch create a --from main --if-not-exists"),
        Step("branch create d --from c --if-not-exists"),
        Step("branch create d --from c --if-not-exists"), Step("restore d --to head"),
        Step("restore d --to head --json"), Step("sync"), Step("sync --json"),
    ]

    private func scene() throws -> Tool {
        let tool = try Tool.withFileStore()
        try Data("here\n".utf8).write(to: tool.folder.appending(path: "here.txt"))
        let sub = tool.folder.appending(path: "sub")
        try FileManager.default.createDirectory(at: sub, withIntermediateDirectories: true)
        try Data("inner\n".utf8).write(to: sub.appending(path: "inner.txt"))
        return tool
    }

    /// What is not of the one run.
    private func settled(_ text: String) -> String {
        text.replacing(/20\d\d-\d\d-\d\dT[\d:.]+Z/, with: "TIME")
            .replacing(/\b[LBT][0-9A-F]{4,}\b/, with: "PLACE")
            .replacing(/ago|[\d.]+ ?(ns|us|ms|s)\b/, with: "SPAN")
            .replacing(/"(\w*Bytes|bytes|records|segments|pages|created)": \d+/, with: "COUNT")
            .replacing(/[\d.]+ (KiB|MiB|B)\b|\d+ (record|node|page)s?/, with: "COUNT")
            .replacing(/\ +/, with: " ")
    }

    @Test func `a served store answers in the same words as one that nobody has open`() throws {
        let (stopped, served) = (try scene(), try scene())
        let host = try HostedTool(served)
        for step in Self.story {
            let alone = try stopped.run(step.words, input: step.input)
            let hosted = try served.run(step.words, input: step.input)
            let line = step.words.joined(separator: " ")
            #expect(hosted.code == alone.code, "\(line): \(alone.messages)\(hosted.messages)")
            #expect(settled(hosted.text) == settled(alone.text), "\(line)")
            #expect(settled(hosted.messages) == settled(alone.messages), "\(line)")
        }
        for name in ["there.txt", "sub/here.txt", "out/inner.txt"] {
            #expect(FileManager.default.fileExists(atPath: served.path(name)), "\(name)")
        }
        try host.end()
        #expect(try served.run("check").code == 0)
        #expect(try served.lines("fs", "cat", "a:/from-pipe") == ["in"])
    }

    @Test func `every command that a server does is in the story`() {
        let told = Set(
            Commands.table.commands.filter { command in
                Self.story.contains { $0.words.starts(with: command.path) }
            }.map(\.name)
        )
        let asked = Commands.table.commands.filter {
            $0.place == .store && !ServerCommandTests.names.contains($0.name)
        }
        #expect(asked.map(\.name).filter { !told.contains($0) } == [])
    }

    @Test func `options before the command, and another store, lead where they should`() throws {
        let tool = try scene()
        let host = try HostedTool(tool)
        defer { try? host.end() }
        try tool.lines("init", "other", "--segment-size", "1M")
        #expect(try tool.lines("--store", "data", "branch", "create", "x", "--from", "main") != [])
        #expect(try tool.lines("branch", "list", "--store", "data").count == 3)
        #expect(try tool.lines("branch", "list", "-s", "other").count == 2)
        #expect(try tool.lines("branch", "list", "-s", tool.path("data")).count == 3)
    }

    @Test func `who does it is told to the server`() throws {
        let tool = try scene()
        let host = try HostedTool(tool)
        defer { try? host.end() }
        try tool.run("branch", "create", "x", "--from", "main", environment: ["OXBOW_ACTOR": "eve"])
        #expect(try tool.json("branch", "show", "x").text("branch.actor") == "eve")
    }
}
