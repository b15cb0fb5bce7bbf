import Oxbow

/// One JSON document, written as the walk goes: a log is large.
struct DumpJSON: DumpPrinter {
    static let keys: [Command.Key] = [
        .init("store.id", "the store's id"), .init("store.pageSize", "bytes in a page"),
        .init("store.segmentBytes", "positions of the log in a segment"),
        .init("store.checkpoint", "where the last checkpoint stands, or null"),
        .init("store.durable", "what the superblock knows to be durable"),
        .init("store.closedCleanly", "whether it was closed in good order"),
        .init("items[].type", "segment, record, kept, damage or end"),
        .init("items[].lsn", "where it stands in the log; null for damage outside of it"),
        .init("items[].number", "of a segment: its number"),
        .init("items[].lastNumber", "of a segment: the last that its file holds"),
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
                "lastNumber": JSON(segment.lastNumber),
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
        case .kept(let blocks):
            return [
                "type": "kept", "lsn": JSON(blocks.first?.lsn),
                "blocks": .array(blocks.map(json)),
            ]
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
