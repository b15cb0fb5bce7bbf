import BranchServer
import Foundation
import OxbowCLI
import Testing

/// A server as `oxbow serve` runs it, with PostgreSQL and a mount, on the store `data` of a tool.
final class ServedTool {
    let tool: Tool
    private let process: Process
    let started: Document

    static let isPossible =
        geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0
        && !PostgresInstallation.all().isEmpty

    init(_ tool: Tool, _ more: [String] = []) throws {
        self.tool = tool
        let process = tool.process(["serve", "--listen", ":0", "--json"] + more)
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try output.fileHandleForWriting.close()
        var told = Data()
        // A document ends with a brace at the beginning of a line.
        while !told.suffix(3).elementsEqual(Array("\n}\n".utf8)) {
            let part = output.fileHandleForReading.availableData
            if part.isEmpty { break }
            told += part
        }
        self.process = process
        started = try Document([UInt8](told))
    }

    /// Ends the server as an operator does, and returns its exit code.
    func end() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}

/// Commands that a server alone can do.
@Suite(
    .serialized,
    .enabled(if: ServedTool.isPossible, "PostgreSQL, FUSE or root is missing: nothing was served")
)
struct ServerCommandTests {
    static let names: Set<String> = ["serve"]

    @Test func `a server makes its store, takes commands, and leaves a sound store`() throws {
        let tool = try Tool()
        let server = try ServedTool(tool)
        #expect(server.started.text("url")?.hasPrefix("postgresql://postgres:") == true)
        #expect(server.started.text("branch") == "main")
        #expect(server.started.number("port") ?? 0 > 0)
        try tool.lines("branch", "create", "a", "--from", "main")
        try tool.lines("fs", "put", "-", "a:/note", input: [1])
        #expect(try tool.lines("fs", "ls", "a:/") == ["note", "pgdata"])
        let second = try tool.run("serve", "--listen", ":0")
        #expect(second.code == 1)
        #expect(second.messages.contains("in use by process"))
        #expect(server.end() == 0)
        #expect(try tool.lines("fs", "ls", "a:/") == ["note", "pgdata"])
        #expect(try tool.run("check").code == 0)
    }
}
