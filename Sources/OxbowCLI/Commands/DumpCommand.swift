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
        keys: DumpJSON.keys,
        place: .here
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
            if case .kept = item, !kinds.isEmpty { return true }
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
