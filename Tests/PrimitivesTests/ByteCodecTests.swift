import Primitives
import TestSupport
import Testing

@Suite struct ByteCodecTests {
    private func write(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        body(&writer)
        #expect(writer.count == writer.bytes.count)
        return writer.bytes
    }

    private func read<Value>(
        _ bytes: [UInt8],
        _ body: (inout ByteReader) throws(Malformed) -> Value
    ) throws(Malformed) -> Value {
        var reader = ByteReader(bytes.span.bytes)
        let value = try body(&reader)
        try reader.end("the value")
        return value
    }

    @Test func `fixed numbers are little-endian`() throws {
        let bytes = write {
            $0.append(0x01)
            $0.append(fixed: 0x0203 as UInt16)
            $0.append(fixed: 0x0405_0607 as UInt32)
            $0.append(fixed: -2 as Int64)
        }
        #expect(bytes == [1, 3, 2, 7, 6, 5, 4, 0xFE] + Array(repeating: 0xFF, count: 7))
        var reader = ByteReader(bytes.span.bytes)
        let byte = try reader.byte("a")
        let short = try reader.fixed("b", as: UInt16.self)
        let word = try reader.fixed("c", as: UInt32.self)
        let signed = try reader.fixed("d", as: Int64.self)
        #expect((byte, short, word, signed) == (1, 0x0203, 0x0405_0607, -2))
        let (offset, remaining) = (reader.offset, reader.remaining)
        #expect((offset, remaining) == (15, 0))
    }

    @Test(
        arguments: [
            (0, [0]), (1, [1]), (127, [0x7F]), (128, [0x80, 0x01]), (300, [0xAC, 0x02]),
            (16_383, [0xFF, 0x7F]), (16_384, [0x80, 0x80, 0x01]),
            (.max, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ] as [(UInt64, [UInt8])]
    )
    func `a varint has seven bits a byte`(value: UInt64, bytes: [UInt8]) throws {
        #expect(write { $0.append(varint: value) } == bytes)
        #expect(try read(bytes) { reader throws(Malformed) in try reader.varint("it") } == value)
    }

    @Test(
        arguments: [
            (0, [0]), (-1, [1]), (1, [2]), (-2, [3]), (63, [0x7E]), (-64, [0x7F]),
            (64, [0x80, 0x01]),
            (.max, [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
            (.min, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ] as [(Int64, [UInt8])]
    )
    func `a zigzag is short in both directions`(value: Int64, bytes: [UInt8]) throws {
        #expect(write { $0.append(zigzag: value) } == bytes)
        #expect(try read(bytes) { reader throws(Malformed) in try reader.zigzag("it") } == value)
    }

    @Test func `every number reads back as written`() throws {
        var random = SeededRandom(test: 8)
        for _ in 0..<20_000 {
            let value = random.anyWidth()
            let signed = Int64(bitPattern: random.oneIn(2) ? value : 0 &- value)
            let bytes = write {
                $0.append(varint: value)
                $0.append(zigzag: signed)
                $0.append(fixed: value)
            }
            var reader = ByteReader(bytes.span.bytes)
            let numbers = (
                try reader.varint("a"), try reader.zigzag("b"),
                try reader.fixed("c", as: UInt64.self)
            )
            #expect(numbers == (value, signed, value))
            try reader.end("all")
        }
    }

    @Test(
        arguments: [
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 0x00],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            [UInt8](repeating: 0xFF, count: 40), [0x80], [],
        ] as [[UInt8]]
    )
    func `a varint past 64 bits or past the end is malformed`(bytes: [UInt8]) {
        #expect(throws: Malformed.self) {
            try read(bytes) { reader throws(Malformed) in try reader.varint("it") }
        }
    }

    @Test(arguments: ["", "a", "zwölf", "👩‍👩‍👧", String(repeating: "x", count: 300), "\u{0}"])
    func `texts read back as written`(text: String) throws {
        let bytes = write { $0.append(text: text) }
        let back = try read(bytes) { reader throws(Malformed) in try reader.text("it") }
        #expect(Array(back.utf8) == Array(text.utf8))
    }

    @Test(arguments: [[1, 0xFF], [2, 0xC0, 0x80], [3, 0xED, 0xA0, 0x80], [1], [2, 0x41]])
    func `a text that is cut or no UTF-8 is malformed`(bytes: [UInt8]) {
        #expect(throws: Malformed.self) {
            try read(bytes) { reader throws(Malformed) in try reader.text("it") }
        }
    }

    @Test func `a count is held to what the bytes can hold`() throws {
        let bytes = write {
            $0.append(varint: 3)
            $0.append(raw: [1, 2, 3, 4, 5, 6])
        }
        for (size, fits) in [(1, true), (2, true), (3, false), (Int.max, false)] {
            var reader = ByteReader(bytes.span.bytes)
            let count = try? reader.count("things", ofAtLeast: size)
            #expect(count == (fits ? 3 : nil))
        }
        let huge = write { $0.append(varint: .max) }
        #expect(throws: Malformed.self) {
            try read(huge) { reader throws(Malformed) in try reader.count("things") }
        }
    }

    @Test func `what is wrong is said with its place`() {
        let error = #expect(throws: Malformed.self) {
            try read([1, 2, 3]) { reader throws(Malformed) in
                _ = try reader.byte("first")
                return try reader.fixed("second", as: UInt32.self)
            }
        }
        #expect(error == Malformed("second cut short", at: 1))
        let rest = #expect(throws: Malformed.self) {
            try read([1, 2, 3]) { reader throws(Malformed) in try reader.byte("first") }
        }
        #expect(rest == Malformed("2 bytes after the value", at: 1))
    }

    @Test(arguments: [-1, Int.min, 4, Int.max])
    func `a length that is not there is malformed`(length: Int) {
        #expect(throws: Malformed.self) {
            try read([1, 2, 3]) { reader throws(Malformed) in try reader.raw(length, "it") }
        }
    }

    @Test func `any bytes read or are malformed, and never trap`() {
        var random = SeededRandom(test: 9)
        for _ in 0..<50_000 {
            var bytes = random.bytes(random.below(40))
            // Plain random bytes seldom make long varints or short lengths.
            for index in bytes.indices where random.oneIn(3) {
                bytes[index] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
            }
            var reader = ByteReader(bytes.span.bytes)
            var before = -1
            while reader.offset > before || random.oneIn(2) {
                before = reader.offset
                do { try readAnything(&reader, random.below(9)) } catch {
                    #expect(error.offset <= bytes.count)
                }
                let (offset, remaining) = (reader.offset, reader.remaining)
                #expect(offset >= before && offset + remaining == bytes.count)
            }
        }
    }

    private func readAnything(_ reader: inout ByteReader, _ which: Int) throws(Malformed) {
        switch which {
        case 0: _ = try reader.byte("byte")
        case 1: _ = try reader.fixed("fixed", as: UInt16.self)
        case 2: _ = try reader.fixed("fixed", as: Int32.self)
        case 3: _ = try reader.fixed("fixed", as: UInt128.self)
        case 4: _ = try reader.varint("varint")
        case 5: _ = try reader.zigzag("zigzag")
        case 6: _ = try reader.count("count", ofAtLeast: 3)
        case 7: _ = try reader.text("text")
        default: _ = try reader.raw(5, "raw")
        }
    }
}
