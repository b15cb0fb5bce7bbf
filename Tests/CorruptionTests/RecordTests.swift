import DiskIO
import Foundation
import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing
import WriteAheadLog

extension SimulatedDisk {
    /// The records of all segments, and in which file at what offset each stands.
    func records() throws -> [(file: String, at: Int, record: Record)] {
        var found: [(String, Int, Record)] = []
        for name in names {
            guard let number = SegmentNumber(fileName: name) else { continue }
            let file = try open(name)
            let bytes = try file.read(SegmentHeader.size, at: 0)
            guard let header = try? SegmentHeader.decode(bytes) else { continue }
            let base = header.geometry.base(of: number)
            var scanner = SegmentScanner(file: file, header: header)
            while let record = try scanner.next() {
                found.append((name, Int(record.lsn.rawValue - base.rawValue), record))
            }
        }
        return found
    }
}

/// What records say beside their pages: of branches, and of where everything stands.
@Suite struct RecordTests {
    @Test func `damage in a full segment is no torn tail, though only later segments tell`() throws
    {
        let disk = SimulatedDisk(seed: 9)
        let clock = SimulatedClock(seed: 9)
        // No checkpoint, so that all of it is replayed.
        var options = DamagedStore.options
        options.checkpointChanges = 10_000
        var random = SeededRandom(test: 35)
        let store = try Store.open(disk, clock, options, entropy: Entropy { random.next() })
        let main = try store.branch("main")
        // One flush over all of it, so that no record of the first segments knows of a later one.
        for number in 0..<300 as Range<UInt64> {
            let page = random.bytes(512)
            try main.commit(.buffered) { edit in
                try edit.write(page, page: PageNumber(number), of: DamagedStore.table)
            }
        }
        for _ in 0..<2 {
            let page = random.bytes(512)
            try main.commit { try $0.write(page, page: 0, of: DamagedStore.table) }
        }
        let crashed = disk.crash()
        let records = try crashed.records().filter { $0.record.header.kind == .commit }
        let (file, offset, record) = records[60]
        #expect(file != records[records.count - 1].file)
        crashed.flip(bit: (offset + 20) * 8, of: file)
        let error = #expect(throws: OxbowError.self) {
            _ = try DamagedStore.open(crashed, clock)
        }
        #expect(error?.kind == .damaged, "\(record.lsn)")
    }

    @Test(arguments: [RecordKind.lifecycle, .checkpoint, .commit])
    func `no byte of what a record says can change unnoticed`(kind: RecordKind) throws {
        let store = try DamagedStore(seed: 7, closes: false)
        var random = SeededRandom(test: 34)
        let records = try store.disk.records().filter {
            $0.record.header.kind == kind
        }
        try #require(!records.isEmpty)
        for (file, offset, record) in records.suffix(4) {
            let start = offset + RecordHeader.size
            let end = start + max(record.meta.count, kind == .commit ? 24 : 0)
            for byte in start..<end {
                let copy = store.disk.snapshot()
                copy.flip(bit: byte * 8 + random.below(8), of: file)
                if case .wrong(let what) = store.outcome(of: copy) {
                    Issue.record("byte \(byte - offset) of the record at \(record.lsn): \(what)")
                    return
                }
            }
        }
    }
}
