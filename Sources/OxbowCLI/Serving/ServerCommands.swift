#if Server
import BranchServer
import Glibc
import Oxbow

/// `oxbow logs` and `oxbow suspend`.
enum ServerCommands {
    private static let loggedBranch = Positional(
        "BRANCH",
        isOptional: true,
        help: "The branch whose compute is meant; the server itself where none is said",
        parse: Values.branch
    )
    private static let follow = Flag("follow", letter: "f", help: "Go on with what comes")

    static let logs = Command(
        "logs",
        "Print what a branch's compute said",
        positionals: [loggedBranch],
        options: [follow],
        discussion: [
            "At most 2 MiB are kept of each compute, in this server's time and before. Without a "
                + "branch, what the server itself had to tell. With --follow until Ctrl-C."
        ],
        examples: [
            .init("oxbow logs main", "why it does not start"),
            .init("oxbow logs main --follow", "what it says now"),
            .init("oxbow logs", "the server"),
        ],
        keys: [.init("log", "the text")]
    ) { call in
        try call.withServer { server, store in
            let text: () throws -> String
            if let reference = call[loggedBranch] {
                let branch = try store.find(reference)
                text = {
                    let name = try branch.info().name
                    return try Failure.telling { () throws(ServerError) in
                        try server.logs(of: name)
                    }
                }
            } else {
                text = { server.log }
            }
            if call.wantsJSON {
                if call[follow] { throw Misuse("--follow has no end, and --json needs one") }
                return try call.output.json(["log": .string(try text())])
            }
            var known = LogTail()
            repeat {
                try call.output.bytes(known.new(in: Array(text().utf8)))
                try call.output.flush()
                if call[follow] { usleep(200_000) }
                try call.output.expectReader()
            } while call[follow] && !call.output.isCut
        }
    }

    static let suspend = Command(
        "suspend",
        "Stop a branch's compute until somebody connects",
        positionals: [Common.branch],
        discussion: ["Open sessions are told, and closed. Nothing is lost."],
        examples: [.init("oxbow suspend pr-1432", "to have its memory back")],
        keys: [.init("suspended", "the branch")]
    ) { call in
        let reference = try call.value(Common.branch)
        try call.withServer { server, store in
            let name = try store.find(reference).info().name
            try Failure.telling { () throws(ServerError) in try server.suspend(name) }
            if call.wantsJSON { return try call.output.json(["suspended": .string(name)]) }
            try call.output.line("\(name) runs no PostgreSQL until somebody connects")
        }
    }
}

/// What is new in a log that grows at its end and is cut at its beginning.
package struct LogTail {
    /// The end of what was seen.
    private var seen: [UInt8] = []
    private static let kept = 4096

    package init() {}

    package mutating func new(in text: [UInt8]) -> [UInt8] {
        defer { seen = Array(text.suffix(Self.kept)) }
        guard !seen.isEmpty else { return text }
        // From the end: what was seen stands near it.
        var start = text.count - seen.count
        while start >= 0 {
            if text[start] == seen[0], text[start..<(start + seen.count)].elementsEqual(seen) {
                return Array(text[(start + seen.count)...])
            }
            start -= 1
        }
        return text
    }
}
#endif
