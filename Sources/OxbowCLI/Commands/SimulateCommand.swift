import Oxbow
import Simulation

/// `oxbow simulate`.
enum SimulateCommand {
    private static let seeds = Option(
        "seeds",
        "A..B",
        help: "Which runs: both ends are run; by default 1..20",
        parse: Values.seeds
    )
    private static let replay = Option(
        "replay",
        "SEED",
        help: "Run one seed, and tell all that it does",
        parse: Values.number("seed", 0...UInt64.max)
    )

    private static let files = Flag(
        "files",
        help: "Run branches of files, in place of branches of pages"
    )

    static let command = Command(
        "simulate",
        "Run stores on disks that lose, tear and misplace writes",
        options: [seeds, replay, files],
        discussion: [
            "Each seed drives a whole store on a simulated disk through losses of power, failures, "
                + "full disks and lies, and holds it against a model of what must be there. The "
                + "same seed does the same each time. No store of yours is touched. With --files "
                + "the stores hold volumes, and a model of a tree of files says what each must "
                + "look like, now and in its past.",
            "The exit code is 1 where one failed, or where a thousand or more did not meet every "
                + "fault during every operation: an empty cell of the table. Fewer need not meet "
                + "all of them; where they did not, the run says that its table was not judged.",
        ],
        examples: [
            .init("oxbow simulate --seeds 1..1000", "for some minutes"),
            .init("oxbow simulate --replay 417", "what led to the failure of a seed"),
            .init("oxbow simulate --files --seeds 1..200", "the same for files"),
        ],
        keys: [
            .init("passed", "whether no seed failed, nor the table, where it was judged"),
            .init("judged", "whether the table is full, or the run so long that it must be"),
            .init("seeds", "how many seeds were run"),
            .init("operations", "calls of stores, or operations on files"),
            .init("commits", "commits made"),
            .init("checkpoints", "checkpoints made"),
            .init("sealedSegments", "segments that were filled"),
            .init("reclaims", "passes of reclaim"),
            .init("cycles", "how often a store was left in the middle and opened again"),
            .init("powerLosses", "how often by a loss of power"),
            .init("kills", "how often by the end of its process"),
            .init("closes", "how often a store was closed in good order"),
            .init("recoveriesCut", "losses of power while a store was opened"),
            .init("damageFound", "seeds that ended with damage found, as their disk had lied"),
            .init("trace", "a checksum over all that was done"),
            .init("looks", "of --files: moments gone by that were looked at again"),
            .init("proofs", "of --files: checks of all volumes"),
            .init("failures[].seed", "a seed that failed"),
            .init("failures[].message", "what was not as it must be"),
            .init("shortcomings[]", "where the run did too little to prove anything"),
            .init("journal[]", "of a replay, in place of the rest: what was done, and the end"),
        ],
        usesStore: false
    ) { call in
        if let seed = call[replay] {
            if call.has(seeds) {
                throw Misuse("--replay runs one seed: leave out --seeds, or --replay")
            }
            return try tell(seed, call)
        }
        let seeds = call[seeds] ?? 1...20
        if call[files] { return try runFiles(seeds, call) }
        let progress = Progress("simulating", call.output)
        let report = Simulator.run(seeds: seeds) { seed, report in
            let failed = report.failures.count
            progress.update(
                "seed \(seed) of \(seeds.lowerBound)..\(seeds.upperBound)"
                    + (failed > 0 ? ", \(failed) failed" : "")
            )
            return true
        }
        progress.finish()
        if call.wantsJSON {
            try call.output.json(json(report))
        } else {
            try call.output.line("\(report)")
            let missing = Text.count(report.shortcomings.count, "thing")
            if !isJudged(report) {
                try call.output.line(
                    "the table was not judged: \(missing) did not come up often enough, as they "
                        + "must in \(longRun) seeds or more (--json lists them)"
                )
            }
        }
        try end(failed: report.failures.count, call)
        guard !hasPassed(report) else { return }
        try call.output.flush()
        throw Failure("defect", "so long a run proves too little", isTold: call.wantsJSON)
    }

    /// So many seeds must bring up everything.
    private static let longRun = 1000

    private static func isJudged(_ report: SimulationReport) -> Bool {
        report.shortcomings.isEmpty || report.totals.seeds >= longRun
    }

    private static func hasPassed(_ report: SimulationReport) -> Bool {
        report.failures.isEmpty && (report.shortcomings.isEmpty || !isJudged(report))
    }

    private static func tell(_ seed: UInt64, _ call: Invocation) throws {
        let journal =
            call[files] ? FileSimulator.replay(seed: seed) : Simulator.replay(seed: seed)
        if call.wantsJSON {
            try call.output.json(["journal": .array(journal.map { .string($0) })])
        } else {
            try call.output.lines(journal.map(Text.plain))
        }
        try end(failed: journal.last == "passed" ? 0 : 1, call)
    }

    private static func runFiles(_ seeds: ClosedRange<UInt64>, _ call: Invocation) throws {
        let progress = Progress("simulating", call.output)
        let report = FileSimulator.run(seeds: seeds) { seed, report in
            let failed = report.failures.count
            progress.update(
                "seed \(seed) of \(seeds.lowerBound)..\(seeds.upperBound)"
                    + (failed > 0 ? ", \(failed) failed" : "")
            )
            return true
        }
        progress.finish()
        if call.wantsJSON {
            try call.output.json(json(report))
        } else {
            try call.output.lines(lines(report))
        }
        try end(failed: report.failures.count, call)
    }

    private static func lines(_ report: FileSimulationReport) -> [String] {
        let totals = report.totals
        let lines = [
            "\(Text.count(totals.seeds, "seed")), \(totals.operations) operations on files",
            "\(totals.powerLosses) losses of power, \(totals.kills) ends of the process, "
                + "\(totals.looks) looks at the past, \(totals.proofs) checks",
        ]
        let failures = report.failures.flatMap { failure in
            [
                "seed \(failure.seed) failed: \(Text.plain(failure.message))",
                "  again: oxbow simulate --files --replay \(failure.seed)",
            ]
        }
        return lines + failures
    }

    private static func json(_ report: FileSimulationReport) -> JSON {
        let totals = report.totals
        return [
            "passed": .bool(report.failures.isEmpty), "seeds": JSON(totals.seeds),
            "operations": JSON(totals.operations), "powerLosses": JSON(totals.powerLosses),
            "kills": JSON(totals.kills), "looks": JSON(totals.looks),
            "proofs": JSON(totals.proofs),
            "failures": .array(
                report.failures.map { ["seed": JSON($0.seed), "message": .string($0.message)] }
            ),
        ]
    }

    private static func end(failed: Int, _ call: Invocation) throws {
        guard failed > 0 else { return }
        try call.output.flush()
        throw Failure("defect", "\(Text.count(failed, "seed")) failed", isTold: call.wantsJSON)
    }

    private static func json(_ report: SimulationReport) -> JSON {
        let totals = report.totals
        return [
            "passed": .bool(hasPassed(report)), "judged": .bool(isJudged(report)),
            "seeds": JSON(totals.seeds),
            "operations": JSON(totals.operations), "commits": JSON(totals.commits),
            "checkpoints": JSON(totals.checkpoints),
            "sealedSegments": JSON(totals.sealedSegments), "reclaims": JSON(totals.reclaims),
            "cycles": JSON(totals.cycles), "powerLosses": JSON(totals.powerLosses),
            "kills": JSON(totals.kills), "closes": JSON(totals.closes),
            "recoveriesCut": JSON(totals.recoveriesCut),
            "damageFound": JSON(totals.damageFound),
            "trace": .string(String(report.trace, radix: 16)),
            "failures": .array(
                report.failures.map { ["seed": JSON($0.seed), "message": .string($0.message)] }
            ),
            "shortcomings": .array(report.shortcomings.map { .string($0) }),
        ]
    }
}

extension Values {
    /// Reads `A..B`, or one number.
    package static func seeds(_ text: String) throws(Misuse) -> ClosedRange<UInt64> {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let isRange = parts.count == 3 && parts[1].isEmpty
        guard parts.count == 1 || isRange, let first = UInt64(parts[0]),
            let last = UInt64(parts[parts.count - 1]), first <= last, last < .max
        else {
            throw Misuse(
                "\"\(shown(text))\" is no range of seeds: write the first and the last, such as "
                    + "1..100"
            )
        }
        return first...last
    }
}
