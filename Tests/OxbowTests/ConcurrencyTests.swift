import Foundation
import Oxbow
import Synchronization
import Testing

/// Sixteen threads at once, each of which knows what it must see.
@Suite(.serialized) struct ConcurrencyTests {
    static let table = ObjectID(3)
    static let writers = 6

    /// What the threads share: for each writer, the commits that were made, and what they wrote.
    final class Board: Sendable {
        let made = Guarded<[[(lsn: LSN, value: Int)]]>(Array(repeating: [], count: writers))
        let faults = Guarded<[String]>([])
        let isOver = Atomic(false)

        var everybodyWrote: Bool { made.withLock { $0.allSatisfy { $0.count > 10 } } }

        func note(_ fault: String) { faults.withLock { $0.append(fault) } }
    }

    /// A lock that ThreadSanitizer understands, unlike the standard library's.
    // Safe to share: the value is only reached with the lock held.
    final class Guarded<Value>: @unchecked Sendable {
        private let lock = NSLock()
        private var value: Value

        init(_ value: Value) { self.value = value }

        func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
            lock.lock()
            defer { lock.unlock() }
            return body(&value)
        }
    }

    static func options() -> StoreOptions {
        var options = StoreOptions()
        options.pageSize = 1024
        options.segmentBits = 18
        options.checkpointChanges = 300
        options.cacheBytes = 1 << 20
        return options
    }

    static func page(_ value: Int) -> [UInt8] {
        var random = SeededRandom(seed: UInt64(value))
        let head = withUnsafeBytes(of: UInt64(value).littleEndian) { [UInt8]($0) }
        return head + (0..<1016).map { _ in UInt8(truncatingIfNeeded: random.next() >> 60) }
    }

    static func value(_ page: [UInt8]) -> Int {
        Int(page[..<8].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.1) << (8 * $1.0) })
    }

    /// Reads the pages that every commit writes alike, and returns what they say.
    static func pair(_ read: (PageNumber) throws -> [UInt8], _ board: Board) throws -> Int {
        let first = try read(0)
        let second = try read(900)
        if first != second { board.note("two pages of one commit differ") }
        if value(first) != 0, first != page(value(first)) { board.note("a page of other bytes") }
        return value(first)
    }

    @Test func `sixteen threads fork, commit, read the past, reclaim and delete at once`() throws {
        let store = try Store.temporary(limit: 256 << 20, Self.options())
        try store.setWindow(.seconds(3600), bytes: 12 << 20)
        let main = try store.branch("main")
        let branches = try (0..<Self.writers).map { try store.fork("writer-\($0)", from: main) }
        let board = Board()
        var threads: [Thread] = []
        func start(_ body: @escaping @Sendable () throws -> Void) {
            let thread = Thread {
                do { try body() } catch { board.note("\(error)") }
            }
            threads.append(thread)
            thread.start()
        }
        for (number, branch) in branches.enumerated() {
            start { try Self.write(number, branch, board) }
        }
        for number in 0..<3 { start { try Self.readHeads(number, branches, board) } }
        for number in 0..<3 { start { try Self.readPast(number, branches, board) } }
        for number in 0..<3 { start { try Self.forkAndDelete(number, store, branches, board) } }
        start { try Self.keepUp(store, board) }
        Thread.sleep(forTimeInterval: 4)
        // A slow machine, or a sanitizer, gets longer.
        for _ in 0..<1000 where !board.everybodyWrote { Thread.sleep(forTimeInterval: 0.1) }
        board.isOver.store(true, ordering: .sequentiallyConsistent)
        while threads.contains(where: { !$0.isFinished }) { Thread.sleep(forTimeInterval: 0.01) }
        #expect(board.faults.withLock { $0.prefix(5) } == [])
        let report = try store.check()
        #expect(report.problems.prefix(3) == [])
        for (number, branch) in branches.enumerated() {
            let last = board.made.withLock { $0[number].last }
            #expect(try Self.value(branch.read(page: 0, of: Self.table)) == last?.value)
        }
        #expect(board.everybodyWrote)
    }

    static func write(_ number: Int, _ branch: Branch, _ board: Board) throws {
        var random = SeededRandom(seed: UInt64(number))
        var round = 0
        while !board.isOver.load(ordering: .relaxed) {
            round += 1
            let value = number * 1_000_000 + round
            let isLarge = round % 50 == 0
            let commit = try branch.commit(round % 5 == 0 ? .synced : .buffered) { edit in
                if round % 3 == 0 { _ = try edit.read(page: 5, of: table) }
                try edit.write(page(value), page: 0, of: table)
                for _ in 0..<(isLarge ? 300 : random.below(4)) {
                    try edit.write(
                        page(value),
                        page: PageNumber(UInt64(1 + random.below(800))),
                        of: table
                    )
                }
                if round % 40 == 0 { try edit.delete(pages: 100, upTo: 300, of: table) }
                try edit.write(page(value), page: 900, of: table)
            }
            board.made.withLock { $0[number].append((commit.lsn, value)) }
        }
    }

    static func readHeads(_ number: Int, _ branches: [Branch], _ board: Board) throws {
        var random = SeededRandom(seed: UInt64(100 + number))
        var seen = [Int](repeating: 0, count: branches.count)
        while !board.isOver.load(ordering: .relaxed) {
            let index = random.below(branches.count)
            let view = try branches[index].view()
            let value = try pair({ try view.read(page: $0, of: table) }, board)
            if value < seen[index] { board.note("a head went back") }
            seen[index] = value
        }
    }

    static func readPast(_ number: Int, _ branches: [Branch], _ board: Board) throws {
        var random = SeededRandom(seed: UInt64(200 + number))
        while !board.isOver.load(ordering: .relaxed) {
            let index = random.below(branches.count)
            let draw = random.next()
            let known = board.made.withLock { made -> (lsn: LSN, value: Int)? in
                made[index].isEmpty ? nil : made[index][Int(draw % UInt64(made[index].count))]
            }
            guard let known else { continue }
            do {
                let point = try branches[index].point(at: .lsn(known.lsn))
                let view = try branches[index].view(at: point)
                let value = try pair({ try view.read(page: $0, of: table) }, board)
                if point.lsn == known.lsn, value != known.value {
                    board.note("\(known.lsn) shows \(value), not \(known.value)")
                }
                if point.lsn > known.lsn { board.note("a point after what was asked") }
            } catch let error as OxbowError where error.kind == .notFound { continue }
        }
    }

    static func forkAndDelete(
        _ number: Int,
        _ store: Store,
        _ branches: [Branch],
        _ board: Board
    ) throws {
        var random = SeededRandom(seed: UInt64(300 + number))
        var alive: [(Branch, Int)] = []
        var round = 0
        while !board.isOver.load(ordering: .relaxed) {
            round += 1
            let parent = branches[random.below(branches.count)]
            let fork = try store.fork("fork-\(number)-\(round)", from: parent)
            let value = try pair({ try fork.read(page: $0, of: table) }, board)
            if random.oneIn(2) {
                let own = 900_000_000 + round
                try fork.commit(.buffered) { edit in
                    try edit.write(page(own), page: 0, of: table)
                    try edit.write(page(own), page: 900, of: table)
                }
                alive.append((fork, own))
            } else {
                alive.append((fork, value))
            }
            if alive.count > 20 {
                let (old, value) = alive.remove(at: random.below(alive.count))
                let found = try pair({ try old.read(page: $0, of: table) }, board)
                if found != value { board.note("a fork shows \(found), not \(value)") }
                try old.delete()
            }
        }
    }

    static func keepUp(_ store: Store, _ board: Board) throws {
        while !board.isOver.load(ordering: .relaxed) {
            Thread.sleep(forTimeInterval: 0.2)
            try store.reclaim()
        }
    }
}
