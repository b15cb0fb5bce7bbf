import Oxbow

/// `oxbow stats`, `check` and `reclaim`.
enum UpkeepCommands {
    static let stats = Command(
        "stats",
        "Say who uses the disk",
        discussion: [
            "Of each branch: what it shows, whoever else shows it too, and what it holds alone, "
                + "which is what deleting it frees in the end. Bytes of branches are bytes of log, "
                + "compressed. Reads every map of the store."
        ],
        examples: [.init("oxbow stats", "which branches are worth deleting")],
        keys: [
            .init("diskBytes", "what the store's files take of the disk"),
            .init("segments", "how many segments there are"),
            .init("liveBytes", "what branches and snapshots show now, each block once"),
            .init("historyBytes", "what is kept for history beside that"),
            .init("historyFrom", "before this LSN nothing is kept but what branches show"),
            .init("denseFrom", "from this LSN on, history is kept record by record"),
            .init("branches[].name", "a branch's name"),
            .init("branches[].reachableBytes", "what it shows now"),
            .init("branches[].aloneBytes", "what no other branch and no snapshot shows"),
        ]
    ) { call in
        try call.withStore { store in
            let usage = try store.usage()
            if call.wantsJSON { return try call.output.json(json(usage)) }
            var fields = Fields()
            fields.add("shown now", Text.bytes(usage.liveBytes))
            fields.add("kept for history", Text.bytes(usage.historyBytes))
            fields.add("history begins", "\(usage.historyFrom)")
            fields.add("record by record", "from \(usage.denseFrom)")
            let disk = Text.bytes(usage.diskBytes)
            try call.output.line("\(disk) of disk in \(Text.count(usage.segments, "segment"))")
            try call.output.lines(fields.lines + [""])
            var table = Table([("BRANCH", .left), ("SHOWS", .right), ("ALONE", .right)])
            for branch in usage.branches.sorted(by: { $0.aloneBytes > $1.aloneBytes }) {
                table.add([
                    branch.name, Text.bytes(branch.reachableBytes), Text.bytes(branch.aloneBytes),
                ])
            }
            try call.output.lines(table.lines)
        }
    }

    private static func json(_ usage: StoreUsage) -> JSON {
        [
            "diskBytes": JSON(usage.diskBytes), "segments": JSON(usage.segments),
            "liveBytes": JSON(usage.liveBytes), "historyBytes": JSON(usage.historyBytes),
            "historyFrom": JSON(usage.historyFrom), "denseFrom": JSON(usage.denseFrom),
            "branches": .array(
                usage.branches.map {
                    [
                        "name": .string($0.name), "reachableBytes": JSON($0.reachableBytes),
                        "aloneBytes": JSON($0.aloneBytes),
                    ]
                }
            ),
        ]
    }

    static let check = Command(
        "check",
        "Read everything that counts, and say what is damaged",
        discussion: [
            "Holds every record, node and page against its checksums, and the store against its "
                + "laws. Says of each lost page who shows it, now or in history. The exit code is "
                + "1 where "
                + "anything is wrong. Nothing is repaired: restore what is lost from elsewhere, or "
                + "from a branch or point that does not show it."
        ],
        examples: [.init("oxbow check && echo sound", "for a timer")],
        keys: [
            .init("sound", "whether nothing is wrong"),
            .init("records", "records that were read and found sound"),
            .init("nodes", "nodes of maps likewise"), .init("pages", "page versions likewise"),
            .init("bytes", "bytes that were read"),
            .init("problems[].lsn", "where it stands"), .init("problems[].file", "in which file"),
            .init("problems[].what", "what is wrong"),
            .init("problems[].object", "the object whose page is lost, or null"),
            .init("problems[].page", "the page that is lost, or null"),
            .init("problems[].branches[]", "the branches and snapshots that show it"),
            .init("problems[].points[]", "the points of history that show it"),
            .init("cutShort", "whether there are more problems than are listed"),
        ]
    ) { call in
        var problems = 0
        try call.withStore { store in
            let progress = Progress("checking", call.output)
            defer { progress.finish() }
            let report = try store.check { bytes in
                progress.update("\(Text.bytes(bytes)) read")
            }
            progress.finish()
            problems = report.problems.count
            if call.wantsJSON { return try call.output.json(json(report)) }
            for problem in report.problems {
                try call.output.line(Text.plain("\(problem)"))
            }
            let counts = [
                Text.count(report.records, "record"), Text.count(report.nodes, "node"),
                Text.count(report.pages, "page"),
            ]
            try call.output.line(
                (report.isSound ? "sound: " : "read: ") + counts.joined(separator: ", ")
                    + ", \(Text.bytes(report.bytes))"
            )
        }
        guard problems > 0 else { return }
        try call.output.flush()
        throw Failure(
            "damaged",
            "the store has \(Text.count(problems, "problem"))",
            isTold: call.wantsJSON
        )
    }

    private static func json(_ report: CheckReport) -> JSON {
        [
            "sound": .bool(report.isSound), "records": JSON(report.records),
            "nodes": JSON(report.nodes), "pages": JSON(report.pages),
            "bytes": JSON(report.bytes), "problems": .array(report.problems.map(json)),
            "cutShort": .bool(report.isCutShort),
        ]
    }

    private static func json(_ problem: CheckProblem) -> JSON {
        [
            "lsn": JSON(problem.lsn), "file": .string(problem.file),
            "what": .string(problem.what),
            "object": problem.object.map { JSON($0.rawValue) } ?? nil,
            "page": problem.page.map { JSON($0.rawValue) } ?? nil,
            "branches": .array(problem.branches.map { .string($0) }),
            "points": .array(problem.points.map { JSON($0) }),
        ]
    }

    static let reclaim = Command(
        "reclaim",
        "Give back the disk's space that nothing reaches",
        discussion: [
            "Deletes branches that have expired, lets go of history that is older or larger than "
                + "the window allows, and frees what no branch, snapshot or kept history needs. A "
                + "store in use does this by itself."
        ],
        examples: [.init("oxbow reclaim", "after deleting large branches")],
        keys: [
            .init("freedBytes", "how many bytes of the disk were given back"),
            .init("removedSegments", "segments in which nothing was needed"),
            .init("rewrittenSegments", "segments written anew with what is needed"),
            .init("liveBytes", "bytes of log that are needed, in what was looked at"),
            .init("historyFrom", "before this LSN nothing is kept but what branches show"),
            .init("denseFrom", "from this LSN on, history is kept record by record"),
        ]
    ) { call in
        try call.withStore { store in
            let progress = Progress("reclaiming", call.output)
            defer { progress.finish() }
            try store.step()
            let report = try store.reclaim { done, all in
                progress.update("\(done) of \(Text.count(all, "segment"))")
            }
            progress.finish()
            if call.wantsJSON {
                return try call.output.json([
                    "freedBytes": JSON(report.freedBytes),
                    "removedSegments": JSON(report.removedSegments),
                    "rewrittenSegments": JSON(report.rewrittenSegments),
                    "liveBytes": JSON(report.liveBytes),
                    "historyFrom": JSON(report.historyFrom), "denseFrom": JSON(report.denseFrom),
                ])
            }
            try call.output.line(
                "freed \(Text.bytes(report.freedBytes)): "
                    + "\(Text.count(report.removedSegments, "segment")) removed, "
                    + "\(report.rewrittenSegments) rewritten"
            )
        }
    }
}
