import Volume

/// What became of a tree that was copied.
final class TreeReport {
    var files: UInt64 = 0
    var folders: UInt64 = 0
    var links: UInt64 = 0
    var pipes: UInt64 = 0
    /// Further names of files.
    var names: UInt64 = 0
    /// Bytes of all files, holes included.
    var bytes: UInt64 = 0
    var skipped: [String] = []
    var failed: [String] = []
    /// For the progress that is shown.
    var bytesRead: UInt64 = 0

    static let keys: [Command.Key] = [
        .init("files", "how many files were copied, verified by reading them again"),
        .init("folders", "how many folders, the top one included"),
        .init("links", "how many symbolic links"), .init("pipes", "how many named pipes"),
        .init("names", "how many further names of files"),
        .init("bytes", "bytes of the files, holes included"),
        .init("skipped[]", "what was left out, and why"),
        .init("failed[]", "what could not be copied, and why"),
    ]

    var json: [(String, JSON)] {
        [
            ("files", JSON(files)), ("folders", JSON(folders)), ("links", JSON(links)),
            ("pipes", JSON(pipes)), ("names", JSON(names)), ("bytes", JSON(bytes)),
            ("skipped", .array(skipped.map { .string($0) })),
            ("failed", .array(failed.map { .string($0) })),
        ]
    }

    var counts: String {
        Text.count(files, "file") + ", " + Text.count(folders, "folder") + ", "
            + Text.count(links, "link") + " (\(Text.bytes(bytes)))"
    }

    var progress: String { "\(Text.count(files, "file")), \(Text.bytes(bytesRead)) read" }

    /// Fails where something could not be copied.
    func end(_ call: Invocation) throws {
        guard let first = failed.first else { return }
        try call.output.flush()
        let more = failed.count > 1 ? "; and \(failed.count - 1) more" : ""
        throw Failure("file", first + more, isTold: call.wantsJSON)
    }
}

extension Failure {
    static func changed(_ path: LocalPath) -> Failure {
        Failure("file", "\(path.shown) changed while it was copied")
    }
}
