import Foundation
import Testing

/// `scripts/read_format.py`: a reader of the format that shares no code with the engine.
enum Witness {
    static let script = root.appending(path: "scripts/read_format.py").path
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Debian's, which sees Debian's modules, before another one.
    private static let python =
        ["/usr/bin/python3", "/usr/local/bin/python3"].first(
            where: FileManager.default.isExecutableFile(atPath:)
        )

    static let isAvailable: Bool = {
        // Loads it without running it: fails where python3 or both ways to a library are missing.
        let load = "import runpy, sys; runpy.run_path(sys.argv[1])"
        return (try? run(["-c", load, script]).status) == 0
    }()

    static let whyNot: Comment =
        "python3 is missing, or liblz4 and libxxhash for it: nothing here was proved"

    struct Answer {
        let status: Int32
        let text: String
        var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    static func ask(_ arguments: String...) throws -> Answer { try run([script] + arguments) }

    private static func run(_ arguments: [String]) throws -> Answer {
        guard let python else { return Answer(status: -1, text: "there is no python3") }
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Answer(
            status: process.terminationStatus,
            text: String(decoding: text, as: UTF8.self)
        )
    }
}

/// Runs a body with a temporary folder, empty or with copies of what is in another.
func withFolder<Result>(
    copyOf source: String? = nil,
    _ body: (String) throws -> Result
) throws -> Result {
    let files = FileManager.default
    let path = files.temporaryDirectory.appending(path: "oxbow-format-\(UUID().uuidString)").path
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: path) }
    if let source { try copyFiles(from: source, to: path) }
    return try body(path)
}

/// Copies a store's files over those in another folder.
func copyFiles(from source: String, to target: String) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: source) where name != "lock" {
        try? FileManager.default.removeItem(atPath: "\(target)/\(name)")
        try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: "\(target)/\(name)")
    }
}
