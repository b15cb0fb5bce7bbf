import Foundation
import Testing

/// A store that another process has mounted.
final class MountedStore {
    let folder: String
    let path: String
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()

    /// Whether this system lets us mount at all.
    static let isPossible = access("/dev/fuse", R_OK | W_OK) == 0 && geteuid() == 0

    private static var worker: String {
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        let folder =
            bundle.map { URL(filePath: $0).deletingLastPathComponent() }
            ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return folder.appending(path: "MountWorker").path
    }

    convenience init() throws {
        let folder = NSTemporaryDirectory() + "oxbow-mount-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder + "/mnt",
            withIntermediateDirectories: true
        )
        try self.init(again: folder)
    }

    /// Mounts what an earlier process left.
    init(again folder: String) throws {
        self.folder = folder
        path = folder + "/mnt"
        process.executableURL = URL(filePath: Self.worker)
        process.arguments = [folder + "/store", path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try #require(line() == "mounted")
    }

    private func line() -> String {
        while true {
            if let end = unread.firstIndex(of: 10) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread = Data(unread[(end + 1)...])
                return line
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return "" }
            unread += more
        }
    }

    func tell(_ command: String) -> String {
        input.fileHandleForWriting.write(Data((command + "\n").utf8))
        return line()
    }

    func end() throws {
        try input.fileHandleForWriting.close()
        #expect(line() == "closed")
        process.waitUntilExit()
        try FileManager.default.removeItem(atPath: folder)
    }

    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Runs a script in the mount, and returns what it says and its exit status.
    func shell(_ script: String) throws -> (said: String, status: Int32) {
        let output = Pipe()
        let shell = try start("exec 2>&1\n\(script)", output)
        let data = output.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), shell.terminationStatus)
    }

    /// Starts a script in the mount.
    @discardableResult
    func start(_ script: String, _ output: Any = FileHandle.nullDevice) throws -> Process {
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-c", script]
        shell.currentDirectoryURL = URL(filePath: path)
        shell.standardOutput = output
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        return shell
    }
}
