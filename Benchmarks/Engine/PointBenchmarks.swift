import Foundation
import Oxbow
import Primitives

/// How fast a moment of the past is found, and shown.
enum PointBenchmarks {
    static let lookups = Benchmark("point-1", "point-1000") { context in
        let records = context.pick(1_000_000, quick: 60_000, tiny: 500)
        return try [1, context.pick(1_000, quick: 1_000, tiny: 10)].map { timelines in
            try context.withFolder("point") { folder in
                let history = try PastStore(
                    context,
                    folder,
                    records: records,
                    timelines: timelines,
                    isSmall: true
                )
                let time = try history.lookupMicroseconds(
                    context.pick(50_000, quick: 3_000, tiny: 20)
                )
                return Outcome(
                    timelines == 1 ? "point-1" : "point-1000",
                    ours: time,
                    bound: 10,
                    aim: 1,
                    unit: "µs",
                    isJudged: context.isFull,
                    note: "\(records) records; parsing the time and finding the next included"
                        + (timelines == 1 ? "" : "; half on the timeline that is idle for 90 %")
                )
            }
        }
    }

    static let firstReads = Benchmark("first-read-8kib", "first-read-150b") { context in
        try [false, true].map { isSmall in
            let records =
                isSmall
                ? context.pick(1_000_000, quick: 60_000, tiny: 400)
                : context.pick(1_000_000, quick: 20_000, tiny: 200)
            return try context.withFolder("first-read") { folder in
                let history = try PastStore(
                    context,
                    folder,
                    records: records,
                    timelines: 1,
                    isSmall: isSmall
                )
                try KernelCache.drop(folder, all: true)
                let samples = try (0..<context.pick(200, quick: 15, tiny: 2)).map {
                    try history.firstReadMilliseconds($0)
                }
                return Outcome(
                    isSmall ? "first-read-150b" : "first-read-8kib",
                    ours: Measure.percentile(0.99, of: samples),
                    bound: 20,
                    aim: 5,
                    unit: "ms p99",
                    isJudged: context.isFull,
                    note:
                        "point, view and read; median \(Figure.short(Measure.median(samples))) ms;"
                        + " records of \(history.recordBytes) bytes"
                )
            }
        }
    }
}

/// A store with a long past, closed.
final class PastStore {
    private static let pages = 4_096
    private let context: Context
    private let folder: String
    private let pageSize: Int
    private let timelines: Int
    private(set) var recordBytes = 0
    private var times: [LogTime] = []

    init(
        _ context: Context,
        _ folder: String,
        records: Int,
        timelines: Int,
        isSmall: Bool
    ) throws {
        self.context = context
        self.folder = folder
        self.timelines = timelines
        pageSize = isSmall ? 512 : 8192
        let store = try Stores.open(folder) { $0.pageSize = isSmall ? 512 : 8192 }
        let main = try store.branch("main")
        let others = try (1..<max(timelines, 2)).map { try store.fork("t-\($0)", from: main) }
        var random = context.random(7)
        var page = [UInt64](repeating: 0, count: pageSize / 8)
        if !isSmall { for index in page.indices { page[index] = random.next() } }
        var last = LSN.zero
        for number in 0..<records {
            page[0] = random.next()
            let isIdle = timelines > 1 && number >= records / 10
            let branch = isIdle ? others[number % others.count] : main
            let place = PageNumber(UInt64(random.below(Self.pages)))
            let commit = try branch.commit(.buffered) { edit in
                try page.withUnsafeBytes { try edit.write($0, page: place, of: Stores.table) }
            }
            if number % 16 == 0 { times.append(commit.time) }
            if number == records / 2 { last = commit.lsn }
            if number == records / 2 + 1 {
                recordBytes = Int(commit.lsn.rawValue - last.rawValue)
            }
        }
        try store.close()
    }

    /// Opened anew: the mean of finding so many moments.
    func lookupMicroseconds(_ count: Int) throws -> Double {
        let store = try Stores.open(folder)
        var random = context.random(8)
        let branches = try (0..<timelines).map {
            try store.branch($0 == 0 ? "main" : "t-\($0)")
        }
        let first = times[0]
        let questions = (0..<count).map { index -> (Branch, String) in
            let time = max(first, times[random.below(times.count)])
            let branch = index % 2 == 0 ? branches[0] : branches[random.below(branches.count)]
            return (branch, time.description)
        }
        let seconds = try Measure.seconds {
            for (branch, text) in questions {
                let point = try branch.point(at: Moment(parsing: text))
                guard point.time.description <= text else {
                    throw BenchmarkError("\(text) snaps to \(point.time)")
                }
            }
        }
        try store.close()
        return seconds / Double(count) * 1e6
    }

    /// Opened anew, with nothing in the kernel's memory: one moment found and a page of it read.
    func firstReadMilliseconds(_ sample: Int) throws -> Double {
        var random = context.random(UInt64(9_000 + sample))
        let store = try Stores.open(folder)
        let main = try store.branch("main")
        let moment = Moment.time(times[random.below(times.count)])
        let place = PageNumber(UInt64(random.below(Self.pages)))
        let buffer = PageBuffer(pageSize)
        try KernelCache.drop(folder)
        let seconds = try Measure.seconds {
            let view = try main.view(at: main.point(at: moment))
            try view.read(page: place, of: Stores.table, into: buffer.bytes)
        }
        try store.close()
        return seconds * 1e3
    }
}
