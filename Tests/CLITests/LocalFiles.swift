import Foundation

extension Tool {
    /// Makes a file under the folder where commands run, and the folders that it is in.
    func makeFile(_ name: String, _ bytes: [UInt8]) throws {
        let url = folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: url)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    /// Runs a shell in the folder, and returns what it prints.
    @discardableResult
    func shell(_ script: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-euo", "pipefail", "-c", script]
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ShellFailure(script: script) }
        return String(decoding: data, as: UTF8.self)
    }

    struct ShellFailure: Error { let script: String }

    /// All that can be seen of a tree but what its files hold.
    func listing(_ name: String) throws -> String {
        try shell(
            #"cd \#(name); find . -printf '%p %m %U %G %y %n %T@ %l\n' | LC_ALL=C sort"#
        )
    }

    static let isRoot = geteuid() == 0
}
