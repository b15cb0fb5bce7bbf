import Foundation
import Testing

/// A file of the repository, with its path from the root and its text.
struct RepositoryFile: Sendable, CustomTestStringConvertible {
    let path: String
    let text: String

    /// The module that a file in Sources belongs to.
    var module: String { String(path.split(separator: "/").dropFirst().first ?? "") }

    var testDescription: String { path }
}

enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let sources = files(under: "Sources", "swift")
    static let tests = files(under: "Tests", "swift")
    static let benchmarks = files(under: "Benchmarks", "swift")
    static let examples = files(under: "Examples", "swift")
    static let swift = sources + tests + benchmarks + examples
    static let manifest = file("Package.swift")

    /// What people read: the pages in docs, those beside the code, and those at the root.
    static let pages =
        files(under: "docs", "md") + files(under: "Sources", "md")
        + ["README.md", "CHANGELOG.md"].filter(exists).map(file)

    /// Everything that goes out with the repository as text.
    static let texts =
        swift + pages + [manifest] + files(under: "scripts") + files(under: ".ci")
        + files(under: "Sources", "h") + files(under: "Sources", "modulemap")

    static let sourceFolders: [String] = {
        let found = try? FileManager.default.contentsOfDirectory(
            atPath: root.appending(path: "Sources").path
        )
        return (found ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }()

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    static func file(_ path: String) -> RepositoryFile {
        let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8)
        return RepositoryFile(path: path, text: text ?? "")
    }

    /// The files in a folder and those in it, with that extension, or with any.
    private static func files(under folder: String, _ suffix: String? = nil) -> [RepositoryFile] {
        let base = root.appending(path: folder)
        let found = (try? FileManager.default.subpathsOfDirectory(atPath: base.path)) ?? []
        return found.sorted().compactMap { path in
            var isFolder: ObjCBool = false
            let whole = base.appending(path: path).path
            guard FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder),
                !isFolder.boolValue, suffix == nil || path.hasSuffix("." + (suffix ?? ""))
            else { return nil }
            return file(folder + "/" + path)
        }
    }
}
