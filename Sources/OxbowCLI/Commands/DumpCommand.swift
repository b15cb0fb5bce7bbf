import Oxbow

/// `oxbow dump`.
enum DumpCommand {
    private static let from = Option(
        "from",
        "LSN",
        help: "Begin at this place of the log",
        parse: Values.lsn
    )
    private static let limit = Option(
        "limit",
        letter: "n",
        "N",
        help: "At most so many records",
        parse: Values.number("limit", 1...UInt64(Int64.max))
    )
    private static let kind = Option(
        "kind",
        "KIND",
        repeats: true,
        help: "Only such records: \(LogDump.kinds.joined(separator: ", "))",
        parse: Values.choice("kind of record", LogDump.kinds)
    )
    private static let blocks = Flag("blocks", help: "Each block on a line of its own")

    static let command = Command(
        "dump",
        "Print what is in the log, record by record",
        options: [from, limit, kind, blocks],
        discussion: [
            "Reads the files as they are, and changes nothing. It works beside a program that has "
                + "the store open, and on a store that is too damaged to be opened: what cannot be "
                + "read is reported with its place, and the walk goes on in the next segment. The "
                + "exit code is 1 where something was damaged."
        ],
        examples: [
            .init("oxbow dump --kind lifecycle", "who did what with which branch"),
            .init("oxbow dump --from L16B3F28 -n 1 --blocks", "one record, and all of it"),
        ],
        keys: DumpJSON.keys
    ) { call in
        let dump: LogDump
        do throws(OxbowError) { dump = try LogDump(call.folder) } catch {
            throw error.kind == .notFound ? call.noStore() : error
        }
        let kinds = Set(call.all(kind))
        var printer: any DumpPrinter =
            call.wantsJSON
            ? DumpJSON(call.output) : DumpText(call.output, eachBlock: call[blocks])
        try printer.begin(dump)
        var left = call[limit] ?? .max
        var damaged = dump.faults.count
        var failure: (any Error)?
        dump.walk(from: call[from] ?? .zero) { item in
            if case .record(let record) = item {
                if !kinds.isEmpty, !kinds.contains(record.kind) { return true }
                if left == 0 {
                    printer.next = record.lsn
                    return false
                }
                left -= 1
            }
            if case .damage = item { damaged += 1 }
            do { try printer.print(item) } catch { failure = error }
            return failure == nil && !call.output.isCut
        }
        if let failure { throw failure }
        try printer.end(damaged: damaged)
        try call.output.flush()
        if damaged > 0 {
            // A JSON document says it itself, and there is one only.
            throw Failure(
                "damaged",
                "the log is damaged in \(Text.count(damaged, "place"))",
                isTold: call.wantsJSON
            )
        }
    }
}

/// How a walk over the log is printed.
protocol DumpPrinter {
    /// Where the walk would go on, had it not come to its limit.
    var next: LSN? { get set }
    mutating func begin(_ dump: LogDump) throws
    mutating func print(_ item: LogDump.Item) throws
    mutating func end(damaged: Int) throws
}

/// One JSON document, written as the walk goes: a log is large.
struct DumpJSON: DumpPrinter {
    static let keys: [Command.Key] = [
        .init("store.id", "the store's id"), .init("store.pageSize", "bytes in a page"),
        .init("store.segmentBytes", "positions of the log in a segment"),
        .init("store.checkpoint", "where the last checkpoint stands, or null"),
        .init("store.durable", "what the superblock knows to be durable"),
        .init("store.closedCleanly", "whether it was closed in good order"),
        .init("items[].type", "segment, record, damage or end"),
        .init("items[].lsn", "where it stands in the log; null for damage outside of it"),
        .init("items[].number", "of a segment: its number"),
        .init("items[].file", "of a segment, and of damage: the file"),
        .init("items[].generation", "of a segment: how often it was rewritten"),
        .init("items[].end", "of a segment: where it ends, or null"),
        .init("items[].what", "of damage: what is wrong"),
        .init("items[].time", "of a record: its time; of a segment: when it was begun"),
        .init("items[].clock", "of a record: what the clock said"),
        .init("items[].kind", "of a record: commit, blocks, checkpoint, lifecycle or mark"),
        .init("items[].timeline", "of a record: its timeline, or null"),
        .init("items[].bytes", "of a record: how long it is"),
        .init("items[].durable", "of a record: what was durable when it was written"),
        .init("items[].content", "of a record: what it says, an object of strings"),
        .init("items[].actor", "of a lifecycle record: who"),
        .init("items[].labels", "of a lifecycle record: what they said"),
        .init("items[].blocks[].kind", "page, deletion, range or node"),
        .init("items[].blocks[].lsn", "where the block stands"),
        .init("items[].blocks[].bytes", "how long it is"),
        .init("items[].blocks[].object", "the object; of a node: which map"),
        .init("items[].blocks[].page", "the page; of a node: its level"),
        .init("items[].blocks[].upTo", "of a range: the first page that is not in it"),
        .init("next", "where to go on with --from; null at the end"),
        .init("damaged", "how many places are damaged"),
    ]

    private let output: Output
    private var isFirst = true
    var next: LSN?

    init(_ output: Output) { self.output = output }

    mutating func begin(_ dump: LogDump) throws {
        let summary = dump.summary
        let store: JSON = [
            "id": .string(summary.store), "pageSize": JSON(summary.pageSize),
            "segmentBytes": JSON(summary.segmentBytes), "checkpoint": JSON(summary.checkpoint),
            "durable": JSON(summary.durable), "closedCleanly": JSON(summary.closedCleanly),
        ]
        try output.line("{\"store\": \(store.text), \"items\": [")
        for fault in dump.faults { try print(.damage(fault)) }
    }

    mutating func print(_ item: LogDump.Item) throws {
        try output.line((isFirst ? "" : ", ") + json(item).text)
        isFirst = false
    }

    mutating func end(damaged: Int) throws {
        try output.line("], \"next\": \(JSON(next).text), \"damaged\": \(damaged)}")
    }

    private func json(_ item: LogDump.Item) -> JSON {
        switch item {
        case .segment(let segment):
            return [
                "type": "segment", "lsn": JSON(segment.start), "number": JSON(segment.number),
                "file": .string(segment.file), "generation": JSON(UInt64(segment.generation)),
                "time": JSON(segment.begun), "end": JSON(segment.end),
            ]
        case .damage(let fault):
            return [
                "type": "damage", "lsn": JSON(fault.lsn), "file": .string(fault.file),
                "what": .string(fault.what),
            ]
        case .end(let lsn): return ["type": "end", "lsn": JSON(lsn)]
        case .record(let record): return json(record)
        }
    }

    private func json(_ record: LogDump.Record) -> JSON {
        var pairs: [(String, JSON)] = [
            ("type", "record"), ("lsn", JSON(record.lsn)), ("time", JSON(record.time)),
            ("clock", JSON(record.clock)), ("kind", .string(record.kind)),
            ("timeline", JSON(record.timeline)), ("bytes", JSON(record.byteCount)),
            ("durable", JSON(record.durable)),
            ("content", .object(record.content.map { ($0.name, .string($0.value)) })),
        ]
        if let author = record.author {
            pairs += [("actor", .string(author.actor)), ("labels", JSON(author.labels))]
        }
        pairs.append(("blocks", .array(record.blocks.map(json))))
        return .object(pairs)
    }

    private func json(_ block: LogDump.Block) -> JSON {
        var pairs: [(String, JSON)] = [
            ("kind", .string(block.kind.rawValue)), ("lsn", JSON(block.lsn)),
            ("bytes", JSON(block.byteCount)), ("object", JSON(block.object)),
            ("page", JSON(block.page)),
        ]
        if let upTo = block.upTo { pairs.append(("upTo", JSON(upTo))) }
        return .object(pairs)
    }
}
