import CrashWorkload
import Foundation
import Oxbow

/// Runs the worker as a process of its own.
struct Worker {
    /// Where the build put the worker: beside the tests.
    static var path: String {
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        let folder =
            bundle.map { URL(filePath: $0).deletingLastPathComponent() }
            ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return folder.appending(path: "CrashWorker").path
    }

    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "oxbow-crash-\(UUID().uuidString)"
    }

    init(copyOf other: Worker) throws {
        try self.init()
        try FileManager.default.copyItem(atPath: other.folder, toPath: folder)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// What a run told before it ended.
    struct Result {
        /// The last commit that was acknowledged as durable; 0 for none.
        var acknowledged = 0
        var isClosed = false
        var wasKilled = false
    }

    /// Runs the worker, under `strace` where options for it are given, and kills it after some
    /// milliseconds, if at all.
    func run(
        commits: Int,
        strace: [String] = [],
        killAfter milliseconds: Double? = nil,
        onceAtWork: Bool = false
    ) throws -> Result {
        let process = Process()
        let command =
            strace.isEmpty
            ? [Self.path]
            : ["/usr/bin/strace", "-f", "-o", "/dev/null"]
                + strace + [Self.path]
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst()) + [folder, "\(commits)"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // A busy machine may take long to get there.
        var data = onceAtWork ? output.fileHandleForReading.availableData : Data()
        if let milliseconds {
            Thread.sleep(forTimeInterval: milliseconds / 1000)
            kill(process.processIdentifier, SIGKILL)
        }
        data += output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        var result = Result()
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            if line == "closed" { result.isClosed = true }
            if let index = Int(line) { result.acknowledged = index }
        }
        result.wasKilled =
            process.terminationReason == .uncaughtSignal || process.terminationStatus >= 128
        return result
    }

    /// Opens the store and holds it against the promises; says what is wrong.
    func verify(acknowledged: Int) throws -> CrashWorkload.Harm? {
        let store = try Store.open(folder, CrashWorkload.options)
        defer { try? store.close() }
        return try CrashWorkload.verify(store, acknowledged: acknowledged)
    }
    /// Has a process of its own hold the store against the promises: what it says, and with which
    /// status it ends.
    func verifyApart(acknowledged: Int) throws -> (said: String, status: Int32) {
        let process = Process()
        process.executableURL = URL(filePath: Self.path)
        process.arguments = ["--verify", folder, "\(acknowledged)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), process.terminationStatus)
    }
}
