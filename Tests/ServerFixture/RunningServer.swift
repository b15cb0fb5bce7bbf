package import Foundation
import Glibc
import Testing

/// A branch server in a process of its own, as its users see it.
package final class RunningServer {
    package let folder: String
    package private(set) var url = ""
    private var process = Process()

    package var data: String { folder + "/data" }
    package var processID: pid_t { process.processIdentifier }

    /// Whether this system has what it takes.
    package static let isPossible =
        geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0
        && access("/usr/lib/postgresql/15/bin/postgres", X_OK) == 0 && getpwnam("postgres") != nil

    /// A folder with a cluster in `main`, which takes a while to make: tests copy it.
    private static let template: Result<String, any Error> = Result {
        let server = try RunningServer(in: makeFolder())
        try server.stop()
        atexit { try? FileManager.default.removeItem(atPath: RunningServer.template.get()) }
        return server.folder
    }

    private static func makeFolder() throws -> String {
        let folder = "/tmp/oxbow-sv-\(UInt32.random(in: 0..<UInt32.max))"
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        return folder
    }

    /// A new one, with a cluster in `main`.
    package static func new(_ settings: String...) throws -> RunningServer {
        let folder = try makeFolder()
        try FileManager.default.copyItem(atPath: template.get() + "/data", toPath: folder + "/data")
        return try RunningServer(in: folder, settings)
    }

    private init(in folder: String, _ settings: [String] = []) throws {
        self.folder = folder
        try start(settings)
    }

    /// Starts it, and waits until it can be reached. By a user whose new files are nobody else's,
    /// as careful ones are: what others have to come to, the server has to open to them.
    package func start(_ settings: [String] = []) throws {
        process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let start = ["-c", #"umask 077 && exec "$@""#, "start", Self.worker.path]
        process.arguments = start + [data, "0"] + settings
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        url = try #require(Self.line(of: output), "the server did not start")
    }

    private static var worker: URL {
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        let folder =
            bundle.map { URL(filePath: $0).deletingLastPathComponent() }
            ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return folder.appending(path: "ServerWorker")
    }

    private static func line(of pipe: Pipe) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = Glibc.read(pipe.fileHandleForReading.fileDescriptor, &byte, 1)
            if count == 1, byte != 10 {
                bytes.append(byte)
            } else if count == 1 {
                return String(decoding: bytes, as: UTF8.self)
            } else if count == 0 || errno != EINTR {
                return nil
            }
        }
    }

    // MARK: Talking to it

    /// The URL of a database by the name that the front takes.
    package func url(_ database: String, user: String? = nil, password: String? = nil) -> String {
        var parts = URLComponents(string: url) ?? URLComponents()
        parts.percentEncodedPath =
            "/"
            + (database.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
        if let user { parts.user = user }
        if let password { parts.password = password }
        return parts.string ?? ""
    }

    /// What psql prints of some SQL, errors too, without its notes on where it connected.
    @discardableResult
    package func sql(
        _ database: String,
        _ text: String,
        user: String? = nil,
        password: String? = nil
    ) throws -> String {
        try psql("'\(url(database, user: user, password: password))'", text)
    }

    package func psql(_ target: String, _ text: String) throws -> String {
        try run("psql -X -q -At -v ON_ERROR_STOP=1 -d \(target) 2>&1", text).said
    }

    package func run(
        _ script: String,
        _ text: String = ""
    ) throws -> (said: String, status: Int32) {
        let (shell, output) = try start(script, text)
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(
                output.fileHandleForReading.fileDescriptor,
                &buffer,
                buffer.count
            )
            if count > 0 {
                data += buffer[..<count]
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        shell.waitUntilExit()
        let said = String(decoding: data, as: UTF8.self)
        return (said.trimmingCharacters(in: .newlines), shell.terminationStatus)
    }

    package func start(_ script: String, _ text: String = "") throws -> (Process, Pipe) {
        let (shell, input, output) = (Process(), Pipe(), Pipe())
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-c", script]
        shell.standardInput = input
        shell.standardOutput = output
        shell.standardError = output
        try Self.withoutBlockedSignals { try shell.run() }
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        return (shell, output)
    }

    /// Threads of tests block most signals, and programs inherit that, so that nobody could
    /// interrupt them.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    /// The names of all branches.
    package func branches() throws -> [String] {
        try sql("oxbow", "SHOW BRANCHES").split(separator: "\n").map {
            String($0.prefix { $0 != "|" })
        }
    }

    /// Waits until something holds.
    package func wait(seconds: Int = 60, _ holds: () throws -> Bool) throws -> Bool {
        for _ in 0..<(seconds * 10) {
            if try holds() { return true }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return false
    }

    // MARK: Its end

    package func stop() throws {
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    package func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Ends it in good order, and sees that nothing of it is left.
    package func end() throws {
        let run = try runFolder()
        try stop()
        let left = "ps -eo pid,stat,args | grep '[p]ostgres' | grep -F '\(run)' || :"
        #expect(try self.run(left).said == "")
        #expect(try self.run("grep -F '\(run)/mnt' /proc/mounts || :").said == "")
        try FileManager.default.removeItem(atPath: folder)
        let kept = try self.run("ls -R \(run) 2>/dev/null || :").said
        #expect(kept == "")
    }

    /// Where it keeps what is there while it runs.
    package func runFolder() throws -> String {
        let address = try String(contentsOfFile: data + "/server/address", encoding: .utf8)
        let line = address.split(separator: "\n").first { $0.hasPrefix("run ") }
        return String(try #require(line).dropFirst(4))
    }
}
