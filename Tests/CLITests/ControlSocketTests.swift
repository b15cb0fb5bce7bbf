import BranchServer
import Foundation
import Oxbow
import OxbowCLI
import Testing

/// The socket through which commands reach a server: who goes away, who must not come, and what is
/// no command.
@Suite struct ControlSocketTests {
    private static func connect(_ tool: Tool) throws -> Int32 {
        let folder = open(tool.path("data/server"), O_RDONLY)
        defer { close(folder) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(folder)/control".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
        return socket
    }

    /// All that comes until the end.
    private static func answer(_ socket: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(socket, &buffer, buffer.count)
            if count <= 0 { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    /// A pipe that no other process is given.
    private static func pipe() -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        #expect(Glibc.pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    @Test func `a client that is killed while it is read from leaves nothing behind`() throws {
        let tool = try Tool.withFileStore()
        let host = try HostedTool(tool)
        defer { try? host.end() }
        let (reader, writer) = Self.pipe()
        defer {
            close(reader)
            close(writer)
        }
        let process = tool.process(["fs", "put", "-", "main:/half"])
        process.standardInput = FileHandle(fileDescriptor: reader)
        try process.run()
        // The pipe stays open, and holds less than a command reads at once.
        #expect(write(writer, "half", 4) == 4)
        while host.count == 0 { usleep(1000) }
        usleep(100_000)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(host.waitUntilQuiet())
        #expect(try tool.run("fs", "put", "-", "main:/whole", input: [1]).code == 0)
        #expect(try tool.lines("fs", "ls", "main:/") == ["whole"])
    }

    @Test func `a client that is killed while nobody reads its results leaves nothing behind`()
        throws
    {
        let tool = try Tool.withFileStore()
        let large = [UInt8](repeating: 7, count: 1 << 20)
        #expect(try tool.run("fs", "put", "-", "main:/large", input: large).code == 0)
        let host = try HostedTool(tool)
        defer { try? host.end() }
        let (reader, writer) = Self.pipe()
        defer {
            close(reader)
            close(writer)
        }
        let process = tool.process(["fs", "cat", "main:/large"])
        process.standardOutput = FileHandle(fileDescriptor: writer)
        try process.run()
        while host.count == 0 { usleep(1000) }
        usleep(100_000)
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(host.waitUntilQuiet())
    }

    @Test func `the end of a server ends the commands that wait for their client`() throws {
        let tool = try Tool.withFileStore()
        let host = try HostedTool(tool)
        let (reader, writer) = Self.pipe()
        defer {
            close(reader)
            close(writer)
        }
        let process = tool.process(["fs", "put", "-", "main:/half"])
        process.standardInput = FileHandle(fileDescriptor: reader)
        process.standardError = FileHandle.nullDevice
        try process.run()
        while host.count == 0 { usleep(1000) }
        try host.end(graceMilliseconds: 100)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        #expect(try tool.lines("fs", "ls", "main:/") == [])
    }

    @Test func `another user is refused`() throws {
        let tool = try Tool.withStore()
        let own = geteuid()
        let host = try HostedTool(tool, isAllowed: { $0 != own })
        defer { try? host.end() }
        let refused = try tool.run("branch", "list")
        #expect(refused.code == 1)
        #expect(
            refused.messages
                == "oxbow: this server's commands are for its own user and for root\n"
        )
    }

    @Test func `more commands than there is room for are refused`() throws {
        let tool = try Tool.withStore()
        var limits = ControlSocket.Limits()
        limits.connections = 2
        limits.requestMilliseconds = 60_000
        let host = try HostedTool(tool, limits: limits)
        defer { try? host.end() }
        let silent = try [Self.connect(tool), Self.connect(tool)]
        while host.count < 2 { usleep(1000) }
        let refused = try tool.run("branch", "list")
        #expect(refused.code == 1)
        #expect(refused.messages.contains("works on 2 commands already: try again later"))
        for socket in silent { close(socket) }
        #expect(host.waitUntilQuiet())
        #expect(try tool.run("branch", "list").code == 0)
    }

    @Test func `what is no command is refused, and the server goes on`() throws {
        let tool = try Tool.withStore()
        var limits = ControlSocket.Limits()
        limits.requestMilliseconds = 200
        let host = try HostedTool(tool, limits: limits)
        defer { try? host.end() }
        var random = SystemRandomNumberGenerator()
        for count in [0, 1, 13, 14, 15, 4096, 1 << 16] {
            let socket = try Self.connect(tool)
            let garbage = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = send(socket, garbage, garbage.count, Int32(MSG_NOSIGNAL))
            if count.isMultiple(of: 2) { shutdown(socket, Int32(SHUT_WR)) }
            let answer = Self.answer(socket)
            // Where bytes are left unread, the system cuts the answer off.
            #expect(answer.isEmpty || answer[0] == 1, "\(count) bytes")
            close(socket)
        }
        #expect(host.waitUntilQuiet())
        #expect(try tool.run("branch", "list").code == 0)
    }

    @Test func `a socket that a killed server left is no server`() throws {
        let tool = try Tool.withStore()
        let host = try HostedTool(tool)
        try host.end()
        // As bind() leaves it: a name that nobody listens at.
        let folder = open(tool.path("data/server"), O_RDONLY)
        defer { close(folder) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("/proc/self/fd/\(folder)/control".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #expect(bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0)
            }
        }
        close(socket)
        #expect(try tool.run("branch", "list").code == 0)
        let again = try HostedTool(tool)
        #expect(try tool.run("branch", "list").code == 0)
        try again.end()
    }

    @Test func `a store deep in folders is reached`() throws {
        let tool = try Tool()
        let deep = (0..<12).map { "folder-with-a-long-name-\($0)" }.joined(separator: "/")
        try FileManager.default.createDirectory(
            at: tool.folder.appending(path: deep),
            withIntermediateDirectories: true
        )
        try tool.lines("init", deep + "/data")
        let store = try Store.open(tool.path(deep + "/data"))
        let folder = tool.path(deep + "/data/server")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let control = try ControlSocket(folder: folder) {
            Forwarding.serve($0, StoreHost(store: store))
        }
        #expect(try tool.lines("branch", "list", "-s", deep + "/data").count == 2)
        control.end(graceMilliseconds: 1000)
        try store.close()
    }
}
