import PostgresWire
import Primitives
import TestSupport
import Testing

@Suite struct FrameTests {
    /// The events of a stream, with the parts of bodies joined, however it arrives.
    private func summary(_ pieces: [[UInt8]], _ rule: LengthRule) throws -> [String] {
        var scanner = FrameScanner(rule)
        var headers: [String] = []
        var bodies: [[UInt8]] = []
        for piece in pieces {
            var offset = 0
            while let event = try scanner.next(piece.span.bytes, at: &offset) {
                switch event {
                case .header(let header):
                    headers.append("\(header.type) \(header.bodyCount)")
                    bodies.append([])
                case .body(let range): bodies[bodies.count - 1] += piece[range]
                }
            }
            #expect(offset == piece.count)
        }
        #expect(scanner.isAtBoundary)
        return zip(headers, bodies).map { "\($0) \($1)" }
    }

    @Test(arguments: [LengthRule.frontend, .backend, .startup])
    func `a stream says the same however it is split`(rule: LengthRule) throws {
        var random = SeededRandom(test: 9_700)
        var stream: [UInt8] = []
        for _ in 0..<12 {
            switch rule {
            case .frontend:
                stream += try [UInt8](
                    random.frontendMessage(FrontendType.allCases[random.below(14)])
                )
            case .backend:
                stream += try [UInt8](random.backendMessage(BackendType.allCases[random.below(24)]))
            default: stream += try [UInt8](random.startupPacket())
            }
        }
        let whole = try summary([stream], rule)
        #expect(whole.count == 12)
        for place in 0...stream.count {
            let halves = [Array(stream[..<place]), Array(stream[place...])]
            #expect(try summary(halves, rule) == whole)
        }
        for size in 1...17 { #expect(try summary(stream.pieces(of: size), rule) == whole) }
    }

    private func header(_ type: UInt8?, _ length: Int64) -> [UInt8] {
        let bits = UInt32(truncatingIfNeeded: length)
        return (type.map { [$0] } ?? [])
            + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }
    }

    private func accepts(_ bytes: [UInt8], _ rule: LengthRule) -> Bool {
        [bytes.count, 1].allSatisfy { size in
            var scanner = FrameScanner(rule)
            do {
                for piece in bytes.pieces(of: size) {
                    var offset = 0
                    _ = try scanner.next(piece.span.bytes, at: &offset)
                }
                return true
            } catch {
                return false
            }
        }
    }

    @Test func `a length outside of its bounds is refused, to the byte`() {
        let small = Int64(10_000)
        let large = Int64(0x3FFF_FFFE)
        let cases: [(LengthRule, UInt8?, ClosedRange<Int64>)] = [
            (.startup, nil, 8...10_000), (.authentication, 0x70, 4...10_000),
            (.frontend, 0x51, 4...large), (.frontend, 0x42, 4...large),
            (.frontend, 0x64, 4...large), (.frontend, 0x53, 4...small),
            (.frontend, 0x45, 4...small), (.frontend, 0x66, 4...small),
            (.backend, 0x44, 4...large), (.backend, 0x5A, 4...30_000),
            (.computeLogin, 0x53, 4...65_536),
        ]
        for (rule, type, range) in cases {
            var lengths: [Int64] = [-0x8000_0000, -0x7FFF_FFFF, 0x7FFF_FFFF, 0x7FFF_FFFE]
            lengths += Array(-5...9) + [range.upperBound - 1, range.upperBound]
            lengths += [range.upperBound + 1, 0x4000_0000, 0x3FFF_FFFF, 65_536, 0xFFFF]
            for length in lengths {
                #expect(
                    accepts(header(type, length), rule) == range.contains(length),
                    "\(rule) \(length)"
                )
            }
        }
    }

    @Test func `a type that does not exist is refused before its length has come`() {
        let known = Set(FrontendType.allCases.map(\.rawValue))
        for type in UInt8.min...UInt8.max {
            var scanner = FrameScanner(.frontend)
            var offset = 0
            let bytes = [type]
            if known.contains(type) {
                #expect(throws: Never.self) { try scanner.next(bytes.span.bytes, at: &offset) }
            } else {
                #expect(
                    throws: WireError(.protocolViolation, "invalid frontend message type \(type)")
                ) {
                    try scanner.next(bytes.span.bytes, at: &offset)
                }
            }
        }
    }

    @Test func `a gibibyte passes through without being kept`() throws {
        var scanner = FrameScanner(.frontend)
        var offset = 0
        let start = header(0x64, 0x3FFF_FFFE)
        _ = try scanner.next(start.span.bytes, at: &offset)
        let piece = [UInt8](repeating: 7, count: 1 << 16)
        var seen = 0
        while scanner.bodyRemaining > 0 {
            offset = 0
            guard case .body(let range) = try scanner.next(piece.span.bytes, at: &offset) else {
                break
            }
            seen += range.count
        }
        #expect(seen == 0x3FFF_FFFE - 4)
        #expect(scanner.isAtBoundary)
    }

    @Test func `a reader keeps what it was given and did not hand out`() throws {
        var reader = FrameReader(.frontend)
        #expect(!reader.hasBuffered && reader.firstByte == nil)
        reader.append(try [UInt8](.query("select 1")) + [0x53, 0])
        #expect(reader.firstByte == 0x51)
        #expect(try reader.next()?.type == 0x51)
        #expect(reader.hasBuffered && reader.takeRest() == [0x53, 0])
        #expect(!reader.hasBuffered)
        reader.append([0x53, 0, 0, 0])
        #expect(try reader.next() == nil)
        #expect(reader.hasBuffered && reader.firstByte == nil)
        reader.append([4])
        #expect(try reader.next() == Frame(type: 0x53, body: []))
    }
}
