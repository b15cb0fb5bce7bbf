import BranchServer
import Primitives
import TestSupport
import Testing

/// What records of PostgreSQL's log say that they change.
@Suite struct WALRecordTests {
    /// A record's parts as PostgreSQL writes them, made up, and the tablespaces in it.
    private struct Parts {
        var payload: [UInt8] = []
        var tablespaces: Set<UInt32> = []

        private static func little(_ value: Int, _ count: Int) -> [UInt8] {
            WALImage.little(UInt64(value), count)
        }

        init(_ random: inout SeededRandom, isBefore15: Bool) {
            var data = 0
            var last: UInt32?
            for id in 0..<random.below(5) {
                payload.append(UInt8(id))
                let isSame = last != nil && random.oneIn(3)
                let image = random.oneIn(3) ? 1 + random.below(8192) : 0
                let bytes = random.below(200)
                payload.append((image > 0 ? 0x10 : 0) | (isSame ? 0x80 : 0) | 0x20)
                payload += Self.little(bytes, 2)
                if image > 0 {
                    let isCompressed = random.oneIn(2)
                    let hasHole = random.oneIn(2)
                    let compressed: UInt8 = isBefore15 ? 0x02 : [0x04, 0x08, 0x10][random.below(3)]
                    payload += Self.little(image, 2) + Self.little(random.below(8192), 2)
                    // Whether it is to be applied, which is one flag or the other.
                    payload.append(
                        (hasHole ? 1 : 0) | (isCompressed ? compressed : 0) | (isBefore15 ? 4 : 2)
                    )
                    if isCompressed, hasHole { payload += Self.little(random.below(8192), 2) }
                }
                if !isSame {
                    let tablespace: UInt32 = [1663, 1664, 16_500, 1664 << 8][random.below(4)]
                    last = tablespace
                    tablespaces.insert(tablespace)
                    payload += Self.little(Int(tablespace), 4) + random.bytes(8)
                }
                payload += random.bytes(4)
                data += image + bytes
            }
            if random.oneIn(4) { payload += [253] + random.bytes(2) }
            if random.oneIn(4) { payload += [252] + random.bytes(4) }
            let own = random.oneIn(5) ? 0 : random.below(400)
            if own > 255 {
                payload += [254] + Self.little(own, 4)
            } else if own > 0 {
                payload += [255, UInt8(own)]
            }
            payload += random.bytes(data + own)
        }
    }

    private func record(_ payload: [UInt8], owner: UInt8, magic: UInt64) throws -> WALRecord {
        var image = try WALImage()
        image.magic = magic
        image.append(payload, owner: owner)
        return try #require(try image.reader(image.padded).lastRecord(inFileAt: image.start))
    }

    /// The blocks of versions 13, 14, 15 and 18.
    @Test(arguments: [0xD106, 0xD10D, 0xD110, 0xD118] as [UInt64])
    func `what all databases share is found in any record`(magic: UInt64) throws {
        var random = SeededRandom(test: magic)
        var found = 0
        for _ in 0..<400 {
            let parts = Parts(&random, isBefore15: magic < 0xD110)
            let record = try record(parts.payload, owner: 10, magic: magic)
            let isShared = parts.tablespaces.contains(1664)
            #expect(record.mayChangeSharedRelations == isShared, "\(parts)")
            found += isShared ? 1 : 0
            let map = try self.record(parts.payload, owner: 7, magic: magic)
            #expect(map.mayChangeSharedRelations)
        }
        #expect((50..<350).contains(found))
    }

    @Test func `what is not understood may change anything`() throws {
        var random = SeededRandom(test: 3)
        for _ in 0..<300 {
            let parts = Parts(&random, isBefore15: false)
            for changed in [
                Array(parts.payload.dropLast()), parts.payload + [0], [200] + parts.payload,
            ] where !changed.isEmpty {
                let record = try record(changed, owner: 10, magic: 0xD110)
                #expect(record.mayChangeSharedRelations, "\(changed.count)")
            }
        }
    }

    @Test func `any bytes are a record that changes something or not`() throws {
        var random = SeededRandom(test: 4)
        for _ in 0..<2000 {
            let payload = random.bytes(1 + random.below(3000))
            _ = try record(payload, owner: 0, magic: 0xD110).mayChangeSharedRelations
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `all records behind a mark are looked at, and no others`(seed: UInt64) throws {
        var random = SeededRandom(test: seed)
        // The same log, and one whose records stand in the same places.
        var (image, other) = (try WALImage(), try WALImage())
        for _ in 0..<40 {
            let count = 1 + (random.oneIn(4) ? random.below(30_000) : random.below(200))
            image.append(random.bytes(count))
            other.append(random.bytes(count))
        }
        let reader = image.reader(image.padded)
        let otherReader = other.reader(other.padded)
        var known: [WALRecord] = []
        let first = image.start + 40
        func mark(_ record: WALRecord) -> WALMark { WALMark(record, of: 77) }
        // From each as the last one of a log that was cut there.
        for range in image.records {
            let cut = image.reader(cutBehind(range.upperBound, image))
            let file = (range.upperBound - 1) / WALImage.segment * WALImage.segment
            known.append(try #require(try cut.lastRecord(inFileAt: file)))
            #expect(known.last?.position == range.lowerBound)
        }
        #expect(known.first?.position == first)
        let last = try #require(known.last)
        for (index, record) in known.enumerated() {
            var seen: [UInt64] = []
            let holds = try reader.holds(after: mark(record), upTo: last.position) {
                seen.append($0.position)
                return true
            }
            #expect(holds && seen == known[(index + 1)...].map(\.position))
            guard index + 1 < known.count else { continue }
            #expect(try !reader.holds(after: mark(record), upTo: last.position) { _ in false })
            #expect(try !otherReader.holds(after: mark(record), upTo: last.position) { _ in true })
            #expect(try !reader.holds(after: mark(record), upTo: last.position + 8) { _ in true })
        }
        // What a crash cut off and began anew is no ground to rely on.
        image.voidRecord()
        let voided = image.reader(image.padded)
        let end = try #require(image.records.last).lowerBound
        #expect(try !voided.holds(after: mark(last), upTo: end) { _ in true })
    }

    @Test func `a record that began too far back is not gone back to`() throws {
        var image = try WALImage()
        image.append([1, 2, 3])
        image.append([UInt8](repeating: 7, count: 100_000))
        let reader = image.reader(image.padded)
        #expect(try reader.lastRecord(inFileAt: image.start)?.end == image.end)
        #expect(try reader.lastRecord(inFileAt: image.start, reach: 200_000)?.end == image.end)
        #expect(try reader.lastRecord(inFileAt: image.start, reach: 50_000) == nil)
    }

    /// The blocks up to where a record ends, and zeros.
    private func cutBehind(_ end: UInt64, _ image: WALImage) -> [UInt8] {
        var bytes = Array(image.padded.prefix(Int(end - image.start)))
        bytes += [UInt8](repeating: 0, count: (8192 - bytes.count % 8192) % 8192)
        return bytes
    }
}
