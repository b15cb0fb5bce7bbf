import BranchServer
import Primitives
import TestSupport
import Testing

/// How far a log reaches.
@Suite struct WALReaderTests {
    private func image(_ random: inout SeededRandom, records: Int) throws -> WALImage {
        var image = try WALImage()
        for _ in 0..<records {
            switch random.below(12) {
            case 0: image.append(random.bytes(8000 + random.below(40_000)))
            case 1: image.voidRecord()
            // So that some end with their block, or nearly.
            case 2:
                let room = 8192 - image.bytes.count % 8192
                image.append(random.bytes(max(0, room - 24 - 8 * random.below(4))))
            default: image.append(random.bytes(random.below(300)))
            }
        }
        return image
    }

    @Test(arguments: 0..<4)
    func `a log reaches as far as its whole records do`(seed: UInt64) throws {
        var random = SeededRandom(test: seed)
        var image = try image(&random, records: 24)
        if seed.isMultiple(of: 2) { image.switchFile() }
        image.append(random.bytes(100))
        if seed.isMultiple(of: 3) { image.switchFile() }
        let all = image.padded
        for count in stride(from: 0, through: all.count, by: 8192 * (1 + random.below(3))) {
            let reader = image.reader(Array(all[..<count]))
            let there = image.start + UInt64(count)
            for record in image.records {
                let isWhole = record.upperBound <= there
                for position in [
                    record.upperBound, record.lowerBound + 1, record.upperBound - 1,
                ] {
                    // Where the file was ended early, the record is what counts.
                    let isSwitch = record.upperBound - record.lowerBound > 100_000
                    let expected = isSwitch ? record.lowerBound + 24 <= there : isWhole
                    let reaches = try reader.reaches(position)
                    #expect(reaches == expected, "\(count): \(position) of \(record)")
                }
            }
        }
    }

    @Test func `just behind a block's header is the same as before it`() throws {
        var image = try WALImage()
        image.append([UInt8](repeating: 1, count: 8192 - 40 - 24))
        #expect(image.end == image.start + 8192)
        let reader = image.reader(image.padded)
        for more: UInt64 in 0...24 { #expect(try reader.reaches(image.end + more)) }
        #expect(try !reader.reaches(image.end + 25))
        #expect(try reader.reaches(0))
    }

    @Test func `the end is that of the last whole record`() throws {
        var random = SeededRandom(test: 50)
        var image = try image(&random, records: 10)
        for _ in 0..<60 {
            let before = image.end
            image.append(random.bytes(random.below(9000)))
            let start = image.end - 1 - (image.end - 1) % WALImage.segment
            #expect(try image.reader(image.padded).end(inFileAt: start) == image.end)
            // All but its last block: at most up to the record before.
            let cut = Array(image.padded.dropLast(8192))
            let end = try image.reader(cut).end(inFileAt: start)
            #expect(end ?? 0 <= before)
        }
    }

    @Test func `a file's blocks end behind the last one that is sound`() throws {
        var random = SeededRandom(test: 55)
        let image = try image(&random, records: 60)
        let all = image.padded
        for count in stride(from: 0, through: all.count, by: 8192) {
            let reader = image.reader(Array(all[..<count]))
            let end = image.start + UInt64(count)
            for start in stride(from: image.start, through: end, by: Int(WALImage.segment)) {
                let isThere = start < end
                let expected = isThere ? min(end, start + WALImage.segment) : nil
                #expect(try reader.endOfBlocks(inFileAt: start) == expected)
            }
        }
    }

    @Test func `a bit that is another ends the log before its record`() throws {
        var random = SeededRandom(test: 60)
        var image = try image(&random, records: 30)
        image.append(random.bytes(20_000))
        let last = try #require(image.records.last)
        let all = image.padded
        for _ in 0..<100 {
            var changed = all
            // Not the four bytes of nothing in a header, nor those that fill up to eight.
            let offset = random.below(Int(last.upperBound - last.lowerBound) - 8)
            let place = Int(last.lowerBound - image.start) + offset
            let isUnused = (20..<24).contains(place % 8192) || (18..<20).contains(offset)
            changed[place] ^= 1 << UInt8(random.below(8))
            let reader = image.reader(changed)
            #expect(try isUnused || !reader.reaches(last.upperBound), "\(offset)")
            let end = try reader.end(
                inFileAt: last.upperBound / WALImage.segment * WALImage.segment
            )
            #expect(end ?? 0 <= last.upperBound)
        }
    }

    @Test func `any bytes are a log that reaches somewhere, or nowhere`() throws {
        var random = SeededRandom(test: 70)
        let image = try image(&random, records: 60)
        let all = image.padded
        for _ in 0..<40 {
            var changed = all
            for _ in 0..<(1 + random.below(30)) {
                let place = random.below(changed.count)
                // Headers, mostly.
                let target = random.oneIn(3) ? place : place / 8192 * 8192 + random.below(64)
                changed[target] = UInt8(truncatingIfNeeded: random.anyWidth())
            }
            let reader = image.reader(changed)
            for record in image.records { _ = try reader.reaches(record.upperBound) }
            _ = try reader.reaches(.max)
            _ = try reader.end(inFileAt: image.start)
        }
    }

    @Test func `positions are shown, and sizes taken, as PostgreSQL has them`() {
        #expect(WALPosition(rawValue: 0x1_016B_3F28).description == "1/16B3F28")
        #expect(WALPosition(rawValue: 0).description == "0/0")
        #expect(WALGeometry(segmentBytes: 16 << 20, blockBytes: 8192) != nil)
        for segment in [0, 3 << 20, 1 << 19, 1 << 31] as [UInt64] {
            #expect(WALGeometry(segmentBytes: segment, blockBytes: 8192) == nil)
        }
        #expect(WALGeometry(segmentBytes: 16 << 20, blockBytes: 0) == nil)
    }

    @Test func `a control file is known by its checksum`() throws {
        let bytes = WALImage.control(checkpoint: 0x16B3F28)
        let control = try PostgresControl(decoding: bytes)
        #expect(control.checkpoint == 0x16B3F28 && control.cluster == 77 && control.timeline == 1)
        #expect(control.redo <= control.checkpoint && !control.isRunning)
        for count in [0, 7, 40, 287] {
            let cut = Array(bytes[..<count])
            #expect(throws: Malformed.self) { try PostgresControl(decoding: cut) }
        }
        for index in 0..<288 {
            var changed = bytes
            changed[index] ^= 4
            #expect(throws: Malformed.self, "byte \(index)") {
                try PostgresControl(decoding: changed)
            }
        }
    }

    @Test(arguments: [(0, 3), (2, 3), (4, 4)] as [(UInt32, UInt32)])
    func `the timeline is the newer of the checkpoint's and recovery's`(
        recovery: UInt32,
        expected: UInt32
    ) throws {
        let bytes = WALImage.control(checkpoint: 8, timeline: 3, recoveryTimeline: recovery)
        #expect(try PostgresControl(decoding: bytes).timeline == expected)
    }

    /// PostgreSQL 13 to 17 write the form 1300, and 18 the form 1800.
    @Test func `settings are read where their place is known`() throws {
        for (version, offset) in [(1300, 288), (1800, 292)] as [(UInt64, Int)] {
            for elsewhere in [-4, 0, 4] {
                let bytes = WALImage.control(
                    checkpoint: 8,
                    version: version,
                    checksumOffset: offset + elsewhere
                )
                let control = try PostgresControl(decoding: bytes)
                #expect((control.settings != nil) == (elsewhere == 0), "\(version) \(elsewhere)")
            }
        }
        let unknown = WALImage.control(checkpoint: 8, version: 1900, checksumOffset: 292)
        #expect(try PostgresControl(decoding: unknown).settings == nil)
    }

    @Test func `checksums are those of CRC-32C`() {
        var sum = WALChecksum()
        sum.add("123456789".utf8)
        #expect(sum.value == 0xE306_9283)
    }
}
