import Foundation
import Glibc
import Testing

/// A store whose branches a server in another process runs PostgreSQL on.
final class ServedStore {
    let folder: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()

    /// Whether this system has what it takes.
    static let isPossible =
        geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0
        && access("/usr/lib/postgresql/15/bin/postgres", X_OK) == 0 && getpwnam("postgres") != nil

    private static var worker: String {
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        let folder =
            bundle.map { URL(filePath: $0).deletingLastPathComponent() }
            ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return folder.appending(path: "ComputeWorker").path
    }

    /// A closed store with a cluster in `main`, which takes a while to make: tests copy it.
    private static let template: Result<String, any Error> = Result {
        let folder = try makeFolder()
        let served = try ServedStore(folder)
        try #require(served.tell("init main") == "done")
        try served.close()
        atexit { try? FileManager.default.removeItem(atPath: ServedStore.template.get()) }
        return folder
    }

    /// Short, since names of sockets are.
    private static func makeFolder() throws -> String {
        let folder = "/tmp/oxbow-pg-\(UInt32.random(in: 0..<UInt32.max))"
        try FileManager.default.createDirectory(
            atPath: folder + "/mnt",
            withIntermediateDirectories: true
        )
        return folder
    }

    /// A new store, with a cluster in `main`.
    static func new(
        limit: Int = 4,
        idleSeconds: Int? = nil,
        waitSeconds: Int = 2
    ) throws -> ServedStore {
        let folder = try makeFolder()
        try FileManager.default.copyItem(
            atPath: template.get() + "/store",
            toPath: folder + "/store"
        )
        return try ServedStore(
            folder,
            limit: limit,
            idleSeconds: idleSeconds,
            waitSeconds: waitSeconds
        )
    }

    /// Serves what an earlier process left.
    init(
        _ folder: String,
        limit: Int = 4,
        idleSeconds: Int? = nil,
        waitSeconds: Int = 2
    ) throws {
        self.folder = folder
        process.executableURL = URL(filePath: Self.worker)
        process.arguments = [
            folder + "/store", folder + "/mnt", folder + "/run", "\(limit)",
            idleSeconds.map { "\($0)" } ?? "never", "\(waitSeconds)",
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try #require(line() == "serving")
    }

    private func line() -> String {
        while true {
            if let end = unread.firstIndex(of: 10) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread = Data(unread[(end + 1)...])
                return line
            }
            let more = Self.read(output)
            if more.isEmpty { return "" }
            unread += more
        }
    }

    /// What is there, at least a byte; nothing at the end. Foundation's own reading ends the tests
    /// where a child's end interrupts it.
    private static func read(_ pipe: Pipe) -> Data {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(pipe.fileHandleForReading.fileDescriptor, &bytes, bytes.count)
            if count >= 0 { return Data(bytes[..<count]) }
            if errno != EINTR { return Data() }
        }
    }

    /// The server's process.
    var server: pid_t { process.processIdentifier }

    func tell(_ command: String) -> String {
        input.fileHandleForWriting.write(Data((command + "\n").utf8))
        return line().replacingOccurrences(of: "|", with: "\n")
    }

    /// The state of a branch's compute, its sessions, its starts and its first process.
    func status(_ name: String) throws -> (state: String, sessions: Int, starts: Int, pid: pid_t) {
        let words = tell("status \(name)").split(separator: " ").map(String.init)
        try #require(words.count == 4, "\(words)")
        return (words[0], Int(words[1]) ?? -1, Int(words[2]) ?? -1, pid_t(words[3]) ?? 0)
    }

    /// Waits until something holds.
    func wait(seconds: Int = 30, _ holds: () throws -> Bool) throws -> Bool {
        for _ in 0..<(seconds * 20) {
            if try holds() { return true }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return false
    }

    /// Ends the server, and sees that nothing of it is left.
    func end() throws {
        try close()
        #expect(try processes() == "")
        try FileManager.default.removeItem(atPath: folder)
    }

    private func close() throws {
        try input.fileHandleForWriting.close()
        #expect(line() == "closed")
        process.waitUntilExit()
    }

    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The processes that PostgreSQL has for this store's branches: all but those that wait for
    /// forks.
    func processesOfBranches() throws -> [Substring] {
        let waiting = "\(folder)/run/waiting-"
        return try processes().split(separator: "\n").filter { line in
            let process = line.split(separator: " ").first ?? ""
            return try !run("readlink /proc/\(process)/fd/3").said.hasPrefix(waiting)
        }
    }

    /// The processes that PostgreSQL has for this store.
    func processes() throws -> String {
        try run("ps -eo pid,stat,args | grep '[p]ostgres' | grep -F '\(folder)/' || :").said
    }

    /// Runs SQL in a session of a socket's, and returns all that is said.
    func sql(_ socket: String, _ text: String, as database: String = "postgres") throws -> String {
        try run("psql -X -v ON_ERROR_STOP=1 -h \(socket) -U postgres -d \(database) -At", text).said
    }

    func run(_ script: String, _ text: String = "") throws -> (said: String, status: Int32) {
        let (shell, output) = try start(script, text)
        var data = Data()
        while case let more = Self.read(output), !more.isEmpty { data += more }
        shell.waitUntilExit()
        let said = String(decoding: data, as: UTF8.self)
        return (said.trimmingCharacters(in: .newlines), shell.terminationStatus)
    }

    func start(_ script: String, _ text: String = "") throws -> (Process, Pipe) {
        let (shell, input, output) = (Process(), Pipe(), Pipe())
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-c", script]
        shell.currentDirectoryURL = URL(filePath: "/")
        shell.standardInput = input
        shell.standardOutput = output
        shell.standardError = output
        try shell.run()
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        return (shell, output)
    }
}
