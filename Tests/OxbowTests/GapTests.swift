import DiskIO
import Oxbow
import TestSupport
import Testing

/// Segments that are gone as a whole: they are named, by the walk and by the opening.
@Suite struct GapTests {
    enum Loss: CaseIterable { case missing, empty, zeroed }

    /// A disk with a store that was closed, of several segments. Opening it reads the last.
    private static let full = Result { try filled(rounds: 20) { _, _, _ in } }

    /// The same of a process that just ended: opening it reads all, since there is no checkpoint.
    private static let unclosed = Result {
        var copy: MemoryDisk?
        _ = try filled(rounds: 20) { disk, _, _ in copy = try Self.copy(disk) }
        return try #require(copy)
    }

    /// Writes the same pages over and over, and closes the store.
    private static func filled(
        rounds: Int,
        _ body: (MemoryDisk, Store, Int) throws -> Void
    ) throws -> MemoryDisk {
        let disk = MemoryDisk(limit: 128 << 20)
        var numbers = SeededRandom(seed: 8)
        let entropy = Entropy { numbers.next() }
        let store = try Store.open(disk, SystemClock(), TestStore.options, entropy: entropy)
        let main = try store.branch("main")
        for round in 0..<rounds {
            try main.write(
                Dictionary(uniqueKeysWithValues: (0..<12).map { ($0, round * 100 + $0 + 1) }),
                .synced
            )
            try body(disk, store, round)
        }
        try store.close()
        return disk
    }

    /// A disk with the same files but one, which is lost in a way.
    private static func copy(
        _ disk: MemoryDisk,
        without lost: String? = nil,
        _ loss: Loss = .missing
    ) throws -> MemoryDisk {
        let copy = MemoryDisk(limit: 128 << 20)
        for name in try disk.list() {
            if name == lost, loss == .missing { continue }
            let file = try disk.open(name)
            let length = name == lost && loss == .empty ? 0 : Int(try file.length())
            var bytes = try file.read(length, at: 0)
            if name == lost { bytes = [UInt8](repeating: 0, count: length) }
            try copy.create(name).write(bytes, at: 0)
        }
        return copy
    }

    private static func segments(_ disk: MemoryDisk) throws -> [String] {
        try disk.list().filter { $0.hasSuffix(".segment") }.sorted()
    }

    private static func damage(_ disk: MemoryDisk) throws -> [LogDump.Fault] {
        try LogDumpTests.items(disk).compactMap {
            if case .damage(let fault) = $0 { fault } else { nil }
        }
    }

    @Test(arguments: Loss.allCases)
    func `a walk names each segment that is gone`(loss: Loss) throws {
        let disk = try Self.full.get()
        let names = try Self.segments(disk)
        #expect(names.count > 2)
        for name in names {
            let faults = try Self.damage(Self.copy(disk, without: name, loss))
            #expect(faults.map(\.file) == [name])
            let what = loss == .missing ? "the segment is missing" : "the segment is empty"
            #expect(faults.first?.what == what)
        }
    }

    @Test(arguments: Loss.allCases)
    func `an opening names the segment that is gone, where it reads it`(loss: Loss) throws {
        let (closed, unclosed) = (try Self.full.get(), try Self.unclosed.get())
        let lost =
            try Self.segments(closed).suffix(1).map { ($0, closed) }
            // Nothing tells that a process that did not close went on in the last.
            + Self.segments(unclosed).dropLast().map { ($0, unclosed) }
        #expect(lost.count > 2)
        for (name, disk) in lost {
            let copy = try Self.copy(disk, without: name, loss)
            let refusal = #expect(throws: OxbowError.self) { _ = try Self.open(copy) }
            let number = try #require(UInt64(name.prefix(16), radix: 16))
            let cause = refusal?.cause ?? ""
            #expect(refusal?.kind == .damaged)
            #expect(cause.hasPrefix("segment \(number)"), "\(cause)")
            #expect(refusal?.problem?.file == name)
        }
    }

    @Test(arguments: Loss.allCases)
    func `a check names the segment that is gone, where the opening does not read it`(
        loss: Loss
    ) throws {
        let disk = try Self.full.get()
        for name in try Self.segments(disk).dropLast() {
            let store = try Self.open(Self.copy(disk, without: name, loss))
            let number = try #require(UInt64(name.prefix(16), radix: 16))
            let problems = try store.check().problems.filter { $0.file == name }
            #expect(problems.contains { $0.what.hasPrefix("segment \(number)") }, "\(problems)")
        }
    }

    private static func open(_ disk: MemoryDisk) throws -> Store {
        let entropy = Entropy { 5 }
        return try Store.open(disk, SystemClock(), TestStore.options, entropy: entropy)
    }

    @Test func `what reclaim takes away is no damage, beside a store that goes on`() throws {
        let disk = try Self.filled(rounds: 100) { disk, store, round in
            if round == 0 { try store.setWindow(.zero, bytes: 0) }
            if round % 10 == 9 { try store.reclaim() }
            if round % 5 == 4 { #expect(try Self.damage(disk).isEmpty) }
        }
        let names = try Self.segments(disk)
        let first = try #require(names.first)
        #expect(first > "0000000000000000.segment", "nothing was removed: this proves nothing")
        #expect(try Self.damage(disk).isEmpty)
        // What is in use is still missed.
        let last = try #require(names.last)
        #expect(try Self.damage(Self.copy(disk, without: last)).map(\.file) == [last])
    }
}
