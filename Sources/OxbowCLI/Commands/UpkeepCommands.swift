import Oxbow

/// `oxbow stats` and `reclaim`.
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
            .init("segmentsWithoutRoom", "segments for which there was no room to do so"),
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
                    "segmentsWithoutRoom": JSON(report.segmentsWithoutRoom),
                    "liveBytes": JSON(report.liveBytes),
                    "historyFrom": JSON(report.historyFrom), "denseFrom": JSON(report.denseFrom),
                ])
            }
            try call.output.line(
                "freed \(Text.bytes(report.freedBytes)): "
                    + "\(Text.count(report.removedSegments, "segment")) removed, "
                    + "\(report.rewrittenSegments) rewritten"
                    + (report.segmentsWithoutRoom > 0
                        ? ", \(report.segmentsWithoutRoom) left, as there is no room to write what "
                            + "is needed of them anew" : "")
            )
        }
    }
}
