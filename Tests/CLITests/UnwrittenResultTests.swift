import Foundation
import OxbowCLI
import Testing

/// Results that cannot be written: the reason goes where messages go.
@Suite struct UnwrittenResultTests {
    private func run(_ tool: Tool, _ arguments: [String]) throws -> (code: Int32, messages: String)
    {
        let process = tool.process(arguments)
        let messages = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = messages
        try process.run()
        let text = try messages.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    @Test(arguments: [[], ["--json"]])
    func `a command whose results cannot be written says so`(options: [String]) throws {
        let tool = try Tool.withStore()
        for line in [
            "branch list", "branch show main", "branch create a --from main", "history main",
            "point main", "snapshot list", "events", "stats", "check", "reclaim", "window show",
            "dump", "simulate --seeds 1..1", "simulate --replay 1", "help", "version",
            "page read main 1 0", "branch delete a", "init other",
        ] {
            let arguments = line.split(separator: " ").map(String.init)
            let (code, messages) = try run(tool, arguments + options)
            #expect(code == 1, "\(line)")
            #expect(
                messages.hasSuffix("oxbow: write the results: No space left on device\n"),
                "\(line): \(messages)"
            )
        }
    }

    @Test func `where the error cannot be written as JSON, it is told in words`() throws {
        let tool = try Tool.withStore()
        let (code, messages) = try run(tool, ["branch", "show", "x", "--json"])
        #expect(code == 1)
        #expect(messages.hasPrefix("oxbow: there is no branch x"))
        #expect(try run(tool, ["branch", "shw", "--json"]).messages.hasPrefix("oxbow: "))
    }
}
