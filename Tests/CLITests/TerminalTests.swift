import Foundation
import Testing

/// What is different where a command talks to a terminal.
@Suite struct TerminalTests {
    /// A terminal of its own: what a program writes to one end is read from the other.
    private final class Terminal {
        private let screen: Int32
        let program: FileHandle

        init() throws {
            screen = open("/dev/ptmx", O_RDWR | O_NOCTTY)
            var number: Int32 = 0
            var isLocked: Int32 = 0
            let unlock: UInt = 0x4004_5431
            let ask: UInt = 0x8004_5430
            guard screen >= 0, ioctl(screen, unlock, &isLocked) == 0,
                ioctl(screen, ask, &number) == 0
            else { throw CocoaError(.fileReadUnknown) }
            let other = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
            guard other >= 0 else { throw CocoaError(.fileReadUnknown) }
            program = FileHandle(fileDescriptor: other, closeOnDealloc: false)
        }

        deinit { close(screen) }

        /// What programs have written when the last of them has ended.
        func contents() throws -> [UInt8] {
            try program.close()
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(screen, &buffer, buffer.count)
                if count <= 0 { return all }
                all += buffer.prefix(count)
            }
        }
    }

    private func run(
        _ tool: Tool,
        _ arguments: [String],
        _ setUp: (Process, Terminal) -> Void
    ) throws -> (code: Int32, screen: [UInt8], messages: String) {
        let terminal = try Terminal()
        let process = tool.process(arguments)
        let messages = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = messages
        setUp(process, terminal)
        try process.run()
        try messages.fileHandleForWriting.close()
        let screen = try terminal.contents()
        let told = try messages.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, screen, String(decoding: told, as: UTF8.self))
    }

    @Test func `bytes are not written to a terminal unless that is forced`() throws {
        let tool = try Tool.withStore()
        let line = ["page", "read", "main", "1", "0"]
        let refused = try run(tool, line) { $0.standardOutput = $1.program }
        #expect(refused.code == 2)
        #expect(refused.screen == [])
        #expect(
            refused.messages
                == "oxbow: page read writes bytes, and the standard output is a terminal: redirect "
                + "it, or say --force or --json\n"
        )
        let forced = try run(tool, line + ["--force"]) { $0.standardOutput = $1.program }
        #expect(forced.code == 0)
        #expect(forced.screen == page(0))
        #expect(forced.messages == "")
    }

    @Test func `pages are not typed`() throws {
        let tool = try Tool.withStore()
        let refused = try run(tool, ["page", "write", "main", "1", "0"]) {
            $0.standardInput = $1.program
        }
        #expect(refused.code == 2)
        #expect(
            refused.messages
                == "oxbow: page write reads the standard input, which is a terminal: redirect a "
                + "file or a pipe into it\n"
        )
    }
}
