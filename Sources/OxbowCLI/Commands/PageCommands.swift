import Oxbow
import Volume

/// `oxbow page write` and `oxbow page read`.
enum PageCommands {
    private static let object = Positional(
        "OBJECT",
        help: "The object's number",
        parse: Values.number("object", UInt64.min...UInt64.max)
    )
    private static let page = Positional(
        "PAGE",
        help: "The number of the first page, counted from 0",
        parse: Values.number("page", 0...UInt64.max - 1)
    )
    private static let count = Option(
        "count",
        letter: "n",
        "N",
        help: "How many pages; by default 1",
        parse: Values.number("count of pages", 1...UInt64(Int64.max))
    )
    private static let expected = Option(
        "count",
        letter: "n",
        "N",
        help: "Write nothing unless there are exactly so many pages",
        parse: Values.number("count of pages", 1...UInt64(Int64.max))
    )
    /// A document is put together in memory.
    private static let mostInJSON: UInt64 = 1024
    private static let pad = Flag("pad", help: "Fill up a short last page with zeros")
    private static let force = Flag("force", help: "Write bytes to a terminal all the same")
    private static let overwrite = Flag(
        "force",
        help: "Write even to a branch that holds files, which can destroy them"
    )

    static let write = Command(
        "page write",
        "Write pages from the standard input, in one commit",
        positionals: [Common.branch, object, page],
        options: [expected, pad, overwrite],
        discussion: [
            "The input is cut into pages, which follow each other from PAGE on. All of them are "
                + "written, or none; when the command ends they survive a crash."
        ],
        examples: [
            .init("oxbow page write main 1 0 < page.bin", "one page"),
            .init(
                "oxbow page write main 7 0 --pad < photo.jpg",
                "a file, as many pages as it takes"
            ),
        ],
        keys: [
            .init("branch.id", "the branch's id"), .init("branch.name", "its name"),
            .init("object", "the object's number"), .init("page", "the first page's number"),
            .init("count", "how many pages were written"), .init("lsn", "the commit's record"),
            .init("time", "its time in the log"),
        ]
    ) { call in
        let reference = try call.value(Common.branch)
        let (object, first) = (ObjectID(try call.value(object)), try call.value(page))
        let input = call.environment.input
        if input.isTerminal {
            throw Misuse(
                "page write reads the standard input, which is a terminal: redirect a file or a "
                    + "pipe "
                    + "into it"
            )
        }
        try call.withStore { store in
            let branch = try store.find(reference)
            let name = try branch.info().name
            try ComputeGuard.checkPages(call, branch, name)
            if !call[overwrite], try PastFiles.areHeld(by: branch.view()) {
                throw Failure(
                    "conflict",
                    "branch \(name) holds files, which pages written by hand can destroy: use "
                        + "`oxbow fs put`, or say --force"
                )
            }
            var count: UInt64 = 0
            let progress = Progress("writing", call.output)
            defer { progress.finish() }
            let commit = try branch.commit { edit in
                while let bytes = try nextPage(input, store.pageSize, count, call[pad]) {
                    guard first <= UInt64.max - 1 - count else {
                        throw Failure(
                            "input",
                            "page \(UInt64.max - 1) is the last there can be: the input is too long"
                        )
                    }
                    if let expected = call[expected], count == expected {
                        throw Failure(
                            "input",
                            "the input has more than \(Text.count(expected, "page")): nothing was "
                                + "written"
                        )
                    }
                    try edit.write(bytes, page: PageNumber(first + count), of: object)
                    count += 1
                    progress.update(Text.bytes(count * UInt64(store.pageSize)))
                }
                try check(count, call[expected], store.pageSize)
            }
            if call.wantsJSON {
                try call.output.json([
                    "branch": ["id": JSON(branch.id), "name": .string(name)],
                    "object": JSON(object.rawValue), "page": JSON(first), "count": JSON(count),
                    "lsn": JSON(commit.lsn), "time": JSON(commit.time),
                ])
            } else {
                try call.output.line(
                    "wrote \(Text.count(count, "page")) of object \(object) on \(name) at "
                        + "\(commit.lsn) "
                        + "(\(Text.time(commit.time)))"
                )
            }
        }
    }

    private static func nextPage(
        _ input: Input,
        _ pageSize: Int,
        _ count: UInt64,
        _ pads: Bool
    ) throws(Failure) -> [UInt8]? {
        var bytes = try input.read(pageSize)
        if bytes.isEmpty { return nil }
        guard bytes.count == pageSize || pads else {
            let total = count * UInt64(pageSize) + UInt64(bytes.count)
            throw Failure(
                "input",
                "the input's \(total) bytes are not whole pages of \(pageSize): give whole pages, "
                    + "or say "
                    + "--pad to fill up the last one with zeros"
            )
        }
        bytes += [UInt8](repeating: 0, count: pageSize - bytes.count)
        return bytes
    }

    private static func check(
        _ count: UInt64,
        _ expected: UInt64?,
        _ pageSize: Int
    ) throws(Failure) {
        if count == 0 {
            throw Failure(
                "input",
                "the input is empty: give a page of \(pageSize) bytes, or several"
            )
        }
        if let expected, count < expected {
            throw Failure(
                "input",
                "the input has \(Text.count(count, "page")) and not \(expected): nothing was "
                    + "written"
            )
        }
    }

    static let read = Command(
        "page read",
        "Read pages to the standard output",
        positionals: [Common.branchMoment, object, page],
        options: [count, force],
        discussion: [
            "A page that was never written, or was deleted, reads as zeros. With --json, pages "
                + "come as base64, at most \(mostInJSON) of them."
        ],
        examples: [
            .init("oxbow page read main 1 0 > page.bin", "as it is now"),
            .init("oxbow page read main@10m 1 0 -n 4 | xxd", "four pages as they were"),
        ],
        keys: [
            .init("branch.id", "the branch's id"), .init("branch.name", "its name"),
            .init("lsn", "the record whose state was read"), .init("time", "its time in the log"),
            .init("object", "the object's number"), .init("pageSize", "bytes in a page"),
            .init("pages[].page", "the page's number"),
            .init("pages[].base64", "what is in it"),
        ]
    ) { call in
        let asked = try call.value(Common.branchMoment)
        let (object, first) = (ObjectID(try call.value(object)), try call.value(page))
        let count = call[count] ?? 1
        guard count - 1 <= UInt64.max - 1 - first else {
            throw Misuse(
                "page \(UInt64.max - 1) is the last there can be: ask for fewer from page \(first)"
            )
        }
        if call.wantsJSON, count > mostInJSON {
            throw Misuse(
                "with --json at most \(mostInJSON) pages are read at once: ask for fewer, or leave "
                    + "out --json"
            )
        }
        if call.output.resultsGoToTerminal, !call.wantsJSON, !call[force] {
            throw Misuse(
                "page read writes bytes, and the standard output is a terminal: redirect it, or "
                    + "say "
                    + "--force or --json"
            )
        }
        try call.withStore { store in
            let point = try store.point(asked)
            let branch = try store.branch(point.branch)
            let name = try branch.info().name
            let view = try branch.view(at: point)
            var pages: [JSON] = []
            for number in first...first + (count - 1) {
                if call.output.isCut { break }
                let bytes = try view.read(page: PageNumber(number), of: object)
                if call.wantsJSON {
                    pages.append(["page": JSON(number), "base64": .string(Base64.encode(bytes))])
                } else {
                    try call.output.bytes(bytes)
                }
            }
            guard call.wantsJSON else { return }
            try call.output.json([
                "branch": ["id": JSON(branch.id), "name": .string(name)],
                "lsn": JSON(view.point.lsn), "time": JSON(view.point.time),
                "object": JSON(object.rawValue), "pageSize": JSON(store.pageSize),
                "pages": .array(pages),
            ])
        }
    }
}
