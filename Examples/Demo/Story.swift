import Foundation
import Oxbow

/// What the demo does, step by step. Every step checks that what it shows is so.
struct Story {
    private let arguments: Arguments
    private let terminal: Terminal
    private let store: Store
    private let main: Branch
    private let clock = ContinuousClock()
    private var catalog: Catalog
    private var lateRows: [Row] = []
    private var forkTime = Duration.zero
    private var rescueTime = Duration.zero

    init(_ folder: String, _ arguments: Arguments, _ terminal: Terminal) throws {
        self.arguments = arguments
        self.terminal = terminal
        store = try Store.open(folder)
        main = try store.branch("main")
        catalog = Catalog(seed: arguments.seed, pageSize: store.pageSize)
    }

    mutating func run() throws {
        try load()
        let finalEntities = try Table.finalEntities.rows(in: main.view())
        try expect(finalEntities.count == Catalog.finalEntityCount, "32 rows were loaded")
        let migration = try fork()
        try migrate(migration)
        let moment = try carryOn()
        try deleteByAccident()
        try rescue(moment, finalEntities)
        summarize()
        try store.close()
    }

    private mutating func load() throws {
        terminal.step("Production: a service catalog in the branch main")
        terminal.progress("making the rows")
        let tables = catalog.make(bytes: arguments.megabytes * 1_000_000)
        let pages = tables.reduce(0) { $0 + $1.packed.pages.count }
        var written = 0
        let time = try clock.measure {
            for (table, packed) in tables {
                // A megabyte at a time, each commit durable when it returns.
                for start in stride(from: 0, to: packed.pages.count, by: 128) {
                    let part = packed.pages[start..<min(start + 128, packed.pages.count)]
                    try main.commit { edit in
                        for (offset, bytes) in part.enumerated() {
                            let page = PageNumber(UInt64(start + offset))
                            try edit.write(bytes, page: page, of: table.object)
                        }
                    }
                    written += part.count
                    terminal.progress("loading \(written * 100 / pages) %")
                }
            }
        }
        for (table, packed) in tables {
            terminal.figure(
                table.name,
                "\(grouped(packed.rowCount)) rows, \(grouped(packed.pages.count)) pages"
            )
        }
        let compressed = try store.usage().liveBytes
        terminal.figure(
            "loaded \(megabytes(pages * store.pageSize)), compressed to \(megabytes(compressed))",
            time.inWords
        )
    }

    private mutating func fork() throws -> Branch {
        terminal.step("A branch of production, to try a migration on")
        let (migration, time) = try timed {
            let branch = try store.fork("migration", from: main, by: Author("demo"))
            try store.sync()
            return branch
        }
        forkTime = time
        terminal.figure("forked, and durable", time.inWords)
        return migration
    }

    private func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, Duration) {
        let began = clock.now
        let result = try body()
        return (result, clock.now - began)
    }

    /// Rewrites every row of one table and drops another, on the fork alone.
    private func migrate(_ branch: Branch) throws {
        terminal.step("A risky migration, on the branch alone")
        let before = try digest(of: main)
        let view = try branch.view()
        let pages = try Table.refreshState.pages(in: view)
        let time = try clock.measure {
            for start in stride(from: 0, to: pages.count, by: 128) {
                let part = pages[start..<min(start + 128, pages.count)]
                try branch.commit(.buffered) { edit in
                    for page in part {
                        let rows = try PageCodec.decode(
                            view.read(page: page, of: Table.refreshState.object)
                        ).map { row in
                            var row = row
                            row[3] = "migrated"
                            return Array(row.prefix(4))
                        }
                        let bytes = PageCodec.encode(rows, pageSize: store.pageSize)
                        try edit.write(bytes, page: page, of: Table.refreshState.object)
                    }
                }
                terminal.progress("migrating \((start + part.count) * 100 / pages.count) %")
            }
            try branch.commit { edit in try edit.delete(object: Table.search.object) }
        }
        terminal.figure(
            "rewrote refresh_state (\(grouped(pages.count)) pages), dropped search",
            time.inWords
        )
        try expect(
            try Table.search.pages(in: branch.view()).isEmpty,
            "search is gone on the branch"
        )
        try expect(try digest(of: main) == before, "production is as it was, byte for byte")
        terminal.note("Production is as it was, byte for byte.")
    }

    private func digest(of branch: Branch) throws -> [UInt64] {
        let view = try branch.view()
        return try Table.all.map { try $0.digest(in: view) }
    }

    /// Production goes on for a while. Returns a moment at which all was well.
    private mutating func carryOn() throws -> LogTime {
        terminal.step("Production goes on")
        for second in 0..<max(1, arguments.waitSeconds) {
            try addLocation(second)
            terminal.progress("\(arguments.waitSeconds - second) s to the accident")
            if arguments.waitSeconds > 0 { sleep(1) }
        }
        let moment = now()
        terminal.note("It is \(Self.short(moment)), and all is well.")
        if arguments.waitSeconds > 0 { sleep(1) }
        return moment
    }

    /// Puts a new row on a page of its own behind the others.
    private mutating func addLocation(_ number: Int) throws {
        let row = catalog.lateLocation(number)
        lateRows.append(row)
        let page = PageNumber(1 << 20 + UInt64(number))
        try main.commit { edit in
            let bytes = PageCodec.encode([row], pageSize: store.pageSize)
            try edit.write(bytes, page: page, of: Table.locations.object)
        }
    }

    private mutating func deleteByAccident() throws {
        terminal.step("The accident: DELETE FROM final_entities, on production")
        let commit = try main.commit { try $0.delete(object: Table.finalEntities.object) }
        try expect(try Table.finalEntities.rows(in: main.view()).isEmpty, "the rows are gone")
        terminal.note("All 32 rows are gone, at \(Self.short(commit.time)) (\(commit.lsn)).")
        // Nobody has noticed yet, and production takes one more write.
        try addLocation(arguments.waitSeconds + 1)
        terminal.note("Nobody has noticed yet. Production takes another write.")
    }

    private mutating func rescue(_ moment: LogTime, _ wanted: [Row]) throws {
        terminal.step("The rescue")
        let began = clock.now
        let (before, pointTime) = try timed { try main.point(at: .time(moment)) }
        let rescue = try store.fork("rescue", from: before, expires: .after(.seconds(3600)))
        try store.sync()
        let view = try rescue.view()
        let rows = try Table.finalEntities.rows(in: view)
        rescueTime = clock.now - began
        terminal.figure(
            "found the last record before \(Self.short(moment)): \(before.lsn)",
            pointTime.inWords
        )
        try expect(rows == wanted, "the rescued rows are those that were loaded")
        terminal.figure(
            "a branch of that moment, and its 32 rows read and compared",
            rescueTime.inWords
        )
        let home = try clock.measure {
            try main.commit { edit in
                for page in try Table.finalEntities.pages(in: view) {
                    let bytes = try view.read(page: page, of: Table.finalEntities.object)
                    try edit.write(bytes, page: page, of: Table.finalEntities.object)
                }
            }
        }
        let healed = try main.view()
        try expect(try Table.finalEntities.rows(in: healed) == wanted, "production has them again")
        let late = try Table.locations.rows(in: healed).suffix(lateRows.count)
        try expect(Array(late) == lateRows, "what was written since is there too")
        terminal.figure("the 32 rows copied home, in one durable commit", home.inWords)
        terminal.note("What production wrote after the accident is still there.")
    }

    private func summarize() {
        terminal.table([
            ["\(arguments.megabytes) MB of catalog", "here", "published"],
            ["branch it", forkTime.inWords, "1.09 s"],
            ["recover it to before the delete", rescueTime.inWords, "3.78 s"],
        ])
        terminal.text([
            "",
            "The published figures are a hosted service's own, for a catalog of 63 MB. They were",
            "not measured here, and are not the same thing: they include a PostgreSQL endpoint",
            "that starts, and a network. What is measured here is the storage engine alone.",
        ])
    }

    private func now() -> LogTime {
        LogTime(nanoseconds: UInt64(Date().timeIntervalSince1970 * 1_000_000) * 1000)
    }

    /// With milliseconds: what a person would write down.
    private static func short(_ moment: LogTime) -> String {
        String(moment.description.prefix(23)) + "Z"
    }
}
