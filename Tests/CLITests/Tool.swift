import Foundation
import OxbowCLI
import Testing

/// The built command, run in a folder of its own, which goes with this.
final class Tool: Sendable {
    struct Outcome {
        let code: Int32
        let bytes: [UInt8]
        let messages: String

        var text: String { String(decoding: bytes, as: UTF8.self) }
        var lines: [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(
                String.init
            )
        }
    }

    /// Where commands run.
    let folder: URL
    private let root: URL
    static let actor = "alice"
    static let pageSize = 4096

    /// The command stands beside the tests in the build's folder.
    static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "oxbow")

    init() throws {
        // A command that ends early must not end the tests that write to it.
        signal(SIGPIPE, SIG_IGN)
        root = FileManager.default.temporaryDirectory
            .appending(path: "oxbow-cli-\(UUID().uuidString)")
        folder = root.appending(path: "here")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// With a store in the folder `data`, which the other calls work on.
    static func withStore() throws -> Tool {
        let tool = try Tool()
        let made = try tool.run("init", "data", "--page-size", "4096", "--segment-size", "256K")
        #expect(made.code == 0, "\(made.messages)")
        return tool
    }

    /// As ``withStore()``, with pages that are large enough for files.
    static func withFileStore() throws -> Tool {
        let tool = try Tool()
        let made = try tool.run("init", "data", "--segment-size", "1M")
        #expect(made.code == 0, "\(made.messages)")
        return tool
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    @discardableResult
    func run(
        _ arguments: String...,
        input: [UInt8]? = nil,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        try run(arguments, input: input, environment: environment)
    }

    func run(
        _ arguments: [String],
        input: [UInt8]? = nil,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        let name = UUID().uuidString
        let files = ["in", "out", "err"].map { root.appending(path: "\(name).\($0)") }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        for file in files { try Data(input ?? []).write(to: file) }
        let process = process(arguments, environment)
        process.standardInput =
            input == nil ? FileHandle.nullDevice : try FileHandle(forReadingFrom: files[0])
        let output = try FileHandle(forWritingTo: files[1])
        try output.truncate(atOffset: 0)
        let messages = try FileHandle(forWritingTo: files[2])
        try messages.truncate(atOffset: 0)
        process.standardOutput = output
        process.standardError = messages
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit, "\(arguments) was ended by a signal")
        return Outcome(
            code: process.terminationStatus,
            bytes: [UInt8](try Data(contentsOf: files[1])),
            messages: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self)
        )
    }

    func process(_ arguments: [String], _ environment: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        var all = ProcessInfo.processInfo.environment
        all["OXBOW_STORE"] = "data"
        all["OXBOW_ACTOR"] = Self.actor
        all.merge(environment) { $1 }
        process.environment = all
        return process
    }

    /// Runs a command that must succeed, and returns its lines.
    @discardableResult
    func lines(_ arguments: String..., input: [UInt8]? = nil) throws -> [String] {
        let outcome = try run(arguments, input: input)
        #expect(outcome.code == 0, "\(arguments): \(outcome.messages)")
        return outcome.lines
    }

    /// Runs a command that must succeed with `--json`, and returns its document, every key of which
    /// must be declared.
    @discardableResult
    func json(
        _ arguments: String...,
        input: [UInt8]? = nil,
        code: Int32 = 0
    ) throws -> Document {
        let outcome = try run(arguments + ["--json"], input: input)
        #expect(outcome.code == code, "\(arguments): \(outcome.text)")
        let document = try Document(outcome.bytes)
        let command = try #require(
            Commands.table.command(Array(arguments.prefix(2)))
                ?? Commands.table.command(Array(arguments.prefix(1)))
        )
        let declared = Set(command.keys.map(\.path))
        let unknown = document.paths.filter { path in
            !declared.contains(path) && !declared.contains { $0.hasPrefix(path) }
        }
        #expect(unknown == [], "\(command.name) prints keys that it does not declare")
        return document
    }
}

/// A JSON document as another program reads it.
struct Document {
    let value: Any

    init(_ bytes: [UInt8]) throws {
        value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    }

    private init(value: Any) { self.value = value }

    /// What stands at a path such as `branches.0.head.lsn`; nil for null.
    func at(_ path: String) -> Any? {
        var current: Any? = value
        for step in path.split(separator: ".") {
            if let object = current as? [String: Any] {
                current = object[String(step)]
            } else if let list = current as? [Any], let index = Int(step), index < list.count {
                current = list[index]
            } else {
                return nil
            }
        }
        return current is NSNull ? nil : current
    }

    func text(_ path: String) -> String? { at(path) as? String }
    func number(_ path: String) -> Int? { (at(path) as? NSNumber)?.intValue }
    func flag(_ path: String) -> Bool? { (at(path) as? NSNumber)?.boolValue }
    func list(_ path: String) -> [Document] {
        ((at(path) as? [Any]) ?? []).map(Document.init(value:))
    }

    /// The paths of all its keys, as commands declare them. What is in labels is the user's.
    var paths: Set<String> {
        var paths: Set<String> = []
        collect(value, "", &paths)
        return paths
    }

    private func collect(_ value: Any, _ path: String, _ paths: inout Set<String>) {
        if !path.isEmpty { paths.insert(path) }
        if path.hasSuffix("labels") || path.hasSuffix("content") { return }
        if let object = value as? [String: Any] {
            for (key, inner) in object {
                collect(inner, path.isEmpty ? key : "\(path).\(key)", &paths)
            }
        } else if let list = value as? [Any] {
            for inner in list { collect(inner, path + "[]", &paths) }
        }
    }
}

func page(_ byte: UInt8, _ count: Int = 1) -> [UInt8] {
    [UInt8](repeating: byte, count: Tool.pageSize * count)
}
