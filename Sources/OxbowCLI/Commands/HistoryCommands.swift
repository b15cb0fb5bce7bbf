import Oxbow

/// `oxbow history` and `oxbow point`.
enum HistoryCommands {
    private static let end = Option(
        "from",
        "END",
        help: "Where to begin: newest (the default) or oldest",
        parse: Values.choice("end of a history", ["newest", "oldest"])
    )
    private static let after = Option(
        "after",
        "LSN",
        help: "Go on after this record, in that direction",
        parse: Values.lsn
    )
    private static let limit = Option(
        "limit",
        letter: "n",
        "N",
        help: "At most so many records; by default 50",
        parse: Values.number("limit", 1...1_000_000)
    )

    static let history = Command(
        "history",
        "List a branch's records, through forks and resets",
        positionals: [Common.branch],
        options: [end, after, limit],
        discussion: [
            "Every record is a point that can be forked, read and reset to. Where only checkpoints "
                + "are kept, those are listed. Where the clock had jumped back, what it said "
                + "stands "
                + "beside the log's own time."
        ],
        examples: [
            .init("oxbow history main", "the last 50 records"),
            .init("oxbow history main --after L16B3F28", "the 50 before that one"),
            .init("oxbow history main --from oldest -n 1", "how far back the history goes"),
        ],
        keys: [
            .init("branch.id", "the branch's id"), .init("branch.name", "its name"),
            .init("records[].lsn", "where the record stands"),
            .init("records[].time", "its time in the log"),
            .init("records[].clock", "what the clock said"),
            .init("records[].timeline", "the timeline that it stands on"),
            .init("records[].kind", "commit, began or checkpoint"),
            .init("records[].pages", "how many page changes it made"),
            .init("records[].bytes", "how many bytes of log it takes"),
            .init("next", "what to say with --after for more; null at the end"),
        ]
    ) { call in
        let reference = try call.value(Common.branch)
        let limit = call[limit] ?? 50
        try call.withStore { store in
            let branch = try store.findEvenDeleted(reference)
            let name = try branch.info().name
            let isFromOldest = call[end] == "oldest"
            var records = try branch.history(
                from: isFromOldest ? .oldest : .newest,
                after: call[after],
                limit: limit + 1
            )
            let hasMore = records.count > limit
            if hasMore { records.removeLast() }
            let next = hasMore ? records.last?.lsn : nil
            if call.wantsJSON {
                try call.output.json([
                    "branch": ["id": JSON(branch.id), "name": .string(name)],
                    "records": .array(records.map(json)), "next": JSON(next),
                ])
                return
            }
            try call.output.lines(table(records))
            if let next {
                let end = isFromOldest ? " --from oldest" : ""
                call.output.message("more: oxbow history \(name)\(end) --after \(next)")
            }
        }
    }

    private static func json(_ entry: HistoryEntry) -> JSON {
        [
            "lsn": JSON(entry.lsn), "time": JSON(entry.time), "clock": JSON(entry.clock),
            "timeline": JSON(entry.timeline), "kind": .string(entry.kind.rawValue),
            "pages": JSON(entry.pages), "bytes": JSON(entry.bytes),
        ]
    }

    private static func table(_ records: [HistoryEntry]) -> [String] {
        var table = Table([
            ("LSN", .left), ("TIME", .left), ("WHAT", .left), ("PAGES", .right), ("BYTES", .right),
            ("TIMELINE", .left), ("", .left),
        ])
        for record in records {
            table.add([
                "\(record.lsn)", Text.time(record.time), record.kind.rawValue, "\(record.pages)",
                "\(record.bytes)", "\(record.timeline)", clock(record.clock, record.time) ?? "",
            ])
        }
        return table.lines
    }

    /// What the clock said, where that is worth saying.
    private static func clock(_ clock: LogTime, _ time: LogTime) -> String? {
        let distance = time.since(clock)
        guard distance > .seconds(1) || distance < .seconds(-1) else { return nil }
        return "the clock said \(Text.time(clock))"
    }

    static let point = Command(
        "point",
        "Say which record a moment of a branch is",
        positionals: [Common.branchMoment],
        discussion: [
            "A moment snaps back to the last record at or before it. Write it as an LSN "
                + "(L16B3F28), a "
                + "time with its zone (2026-04-08T22:56:02Z), a time back (10m), a snapshot's "
                + "name, or head. A position of PostgreSQL's log (0/16B3F28) means the first "
                + "record at which that log reached it, on a branch with a cluster."
        ],
        examples: [
            .init("oxbow point main@10m", "what main showed ten minutes ago"),
            .init("oxbow point main", "its last record"),
        ],
        keys: [
            .init("branch.id", "the branch's id"), .init("branch.name", "its name"),
            .init("requested", "the moment as it was asked for"),
            .init("lsn", "the record"), .init("timeline", "the timeline that it stands on"),
            .init("time", "its time in the log"), .init("clock", "what the clock said"),
            .init(
                "distanceNanoseconds",
                "how long before the moment asked for it was made; null where no time was asked for"
            ),
            .init("next", "the record after it; null at the head"),
            .init("next.lsn", "where that stands"), .init("next.time", "its time"),
        ]
    ) { call in
        let asked = try call.value(Common.branchMoment)
        try call.withStore { store in
            let point = try store.point(asked)
            let branch = try store.branch(point.branch)
            let name = try branch.info().name
            let requested = asked.text ?? "head"
            if call.wantsJSON {
                try call.output.json([
                    "branch": ["id": JSON(branch.id), "name": .string(name)],
                    "requested": .string(requested), "lsn": JSON(point.lsn),
                    "timeline": JSON(point.timeline), "time": JSON(point.time),
                    "clock": JSON(point.clock),
                    "distanceNanoseconds": point.distance.map {
                        .integer($0.wholeNanoseconds)
                    } ?? nil,
                    "next": point.next.map { ["lsn": JSON($0.lsn), "time": JSON($0.time)] } ?? nil,
                ])
                return
            }
            var fields = Fields()
            fields.add("record", "\(point.lsn) on timeline \(point.timeline)")
            fields.add("time", Text.time(point.time))
            fields.add("clock", clock(point.clock, point.time))
            fields.add(
                "distance",
                point.distance.map { "\(Text.duration($0)) before the moment asked for" }
            )
            fields.add(
                "next",
                point.next.map { "\($0.lsn)  \(Text.time($0.time))" }
                    ?? (asked.moment.isSnapshot ? nil : "none: this is the head")
            )
            try call.output.lines(["\(name)@\(requested)"] + fields.lines)
        }
    }
}
