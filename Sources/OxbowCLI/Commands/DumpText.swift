import Oxbow

/// A walk over the log for people: a line for each record.
struct DumpText: DumpPrinter {
    /// Of a record with more runs of pages than this, the rest is counted.
    private static let runLimit = 8

    private let output: Output
    private let eachBlock: Bool
    var next: LSN?

    init(_ output: Output, eachBlock: Bool) {
        self.output = output
        self.eachBlock = eachBlock
    }

    mutating func begin(_ dump: LogDump) throws {
        let summary = dump.summary
        var fields = Fields()
        fields.add("pages of", "\(summary.pageSize) bytes")
        fields.add(
            "log",
            "\(Text.count(summary.segmentCount, "segment")) of up to "
                + Text.bytes(summary.segmentBytes)
        )
        fields.add("checkpoint", summary.checkpoint.map { "\($0)" } ?? "none yet")
        fields.add("durable", "\(summary.durable) at the least")
        fields.add("closed", summary.closedCleanly ? "in good order" : "no: in use, or it crashed")
        try output.lines(["store \(summary.store)"] + fields.lines)
        for fault in dump.faults { try print(.damage(fault)) }
    }

    mutating func print(_ item: LogDump.Item) throws {
        switch item {
        case .segment(let segment):
            let end = segment.end.map { " up to \($0)" } ?? ""
            let generation = segment.generation > 0 ? ", rewritten \(segment.generation) times" : ""
            let further = segment.lastNumber > segment.number ? " to \(segment.lastNumber)" : ""
            try output.line()
            try output.line(
                "segment \(segment.number)\(further) from \(segment.start)\(end), begun "
                    + "\(Text.time(segment.begun))"
                    + generation
            )
        case .damage(let fault):
            let place = fault.lsn.map { " at \($0)" } ?? ""
            try output.line("DAMAGED: \(fault.file)\(place): \(Text.plain(fault.what))")
        case .end(let lsn): try output.line("\nend of the log at \(lsn)")
        case .record(let record): try print(record)
        case .kept(let blocks): try print(kept: blocks)
        }
    }

    private func print(kept blocks: [LogDump.Block]) throws {
        guard let first = blocks.first else { return }
        let words = ["\(first.lsn)", "kept", Text.count(blocks.count, "block")]
        try output.line((words + (eachBlock ? [] : runs(blocks))).joined(separator: "  "))
        if eachBlock { try print(each: blocks) }
    }

    private func print(each blocks: [LogDump.Block]) throws {
        for block in blocks {
            try output.line("    \(block.lsn)  \(block.byteCount) B  \(name(block, nil))")
        }
    }

    mutating func end(damaged: Int) throws {
        if let next { output.message("more: oxbow dump --from \(next)") }
    }

    private func print(_ record: LogDump.Record) throws {
        var words = [
            "\(record.lsn)", Text.time(record.time), record.kind,
            record.timeline.map { "\($0)" } ?? "-", "\(record.byteCount) B",
        ]
        words += record.content.map { field in
            let value = Text.plain(field.value)
            return field.name == "change" ? value : "\(field.name)=\(value)"
        }
        if let author = record.author.flatMap(Text.author) { words.append("by \(author)") }
        if !eachBlock { words += runs(record.blocks) }
        try output.line(words.joined(separator: "  "))
        if eachBlock { try print(each: record.blocks) }
    }

    private func name(_ block: LogDump.Block, _ last: UInt64?) -> String {
        let end = last.map { "-\($0)" } ?? ""
        switch block.kind {
        case .page: return "\(block.object):\(block.page)\(end)"
        case .deletion: return "deleted \(block.object):\(block.page)\(end)"
        case .range:
            let upTo = block.upTo.map { $0 == .max ? "" : "\($0)" } ?? ""
            return "deleted \(block.object):\(block.page)..<\(upTo)"
        case .node: return "node of map \(block.object), level \(block.page)"
        }
    }

    /// The blocks, pages that follow each other as one.
    private func runs(_ blocks: [LogDump.Block]) -> [String] {
        var runs: [(first: LogDump.Block, last: UInt64)] = []
        var nodes = 0
        for block in blocks {
            if block.kind == .node {
                nodes += 1
            } else if let run = runs.last, block.kind != .range, run.first.kind == block.kind,
                run.first.object == block.object, run.last < .max, run.last + 1 == block.page
            {
                runs[runs.count - 1].last = block.page
            } else {
                runs.append((block, block.page))
            }
        }
        var words = runs.prefix(Self.runLimit).map { name($0, $0.page == $1 ? nil : $1) }
        if runs.count > Self.runLimit { words.append("and \(runs.count - Self.runLimit) more") }
        if nodes > 0 { words.append(Text.count(nodes, "node")) }
        return words
    }
}
