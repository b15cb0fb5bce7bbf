import Foundation
import PostgresWire
import Primitives
import TestSupport
import Testing

/// The bytes of hexadecimal digits.
func bytes(hex: some StringProtocol) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] * 16 + digits[$0 + 1])
    }
}

func recorded(_ name: String) throws -> String {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Recorded")
    return try String(contentsOf: folder.appending(path: name), encoding: .utf8)
}

/// A connection as it was recorded between a client and PostgreSQL 15: in order, who sent what.
struct Recording {
    enum Side { case frontend, backend }
    var steps: [(side: Side, bytes: [UInt8])] = []

    static let names = [
        "psql", "pgbench-extended", "pgbench-prepared", "pgbench-pipeline", "extended",
        "pipeline-errors", "copy-extended", "function-call",
    ]

    static func connections(_ name: String) throws -> [Recording] {
        try recorded(name + ".txt").split(separator: "# connection").map { text in
            Recording(
                steps: text.split(separator: "\n").map { line in
                    (line.first == "F" ? .frontend : .backend, bytes(hex: line.dropFirst(2)))
                }
            )
        }
    }

    func all(_ side: Side) -> [UInt8] { steps.filter { $0.side == side }.flatMap(\.bytes) }
}

extension Array where Element == UInt8 {
    init(_ message: FrontendMessage) throws {
        var writer = WireWriter()
        try message.encode(into: &writer)
        self = writer.bytes
    }

    init(_ message: BackendMessage) throws {
        var writer = WireWriter()
        try message.encode(into: &writer)
        self = writer.bytes
    }

    init(_ packet: StartupPacket) throws {
        var writer = WireWriter()
        try packet.encode(into: &writer)
        self = writer.bytes
    }

    /// In pieces of this many bytes.
    func pieces(of count: Int) -> [[UInt8]] {
        stride(from: 0, to: self.count, by: count).map {
            Array(self[$0..<Swift.min($0 + count, self.count)])
        }
    }
}

/// Every whole message in a run of bytes.
func frames(_ bytes: [UInt8], _ rule: LengthRule) throws(WireError) -> [Frame] {
    var reader = FrameReader(rule)
    reader.append(bytes)
    var frames: [Frame] = []
    while let frame = try reader.next() { frames.append(frame) }
    return frames
}

extension SessionTracker {
    mutating func client(_ bytes: [UInt8]) throws(WireError) {
        _ = try frontend(bytes.span.bytes)
    }

    mutating func server(_ bytes: [UInt8]) throws(WireError) {
        try backend(bytes.span.bytes)
    }

    mutating func client(_ messages: FrontendMessage...) throws {
        for message in messages { try client([UInt8](message)) }
    }

    mutating func server(_ messages: BackendMessage...) throws {
        for message in messages { try server([UInt8](message)) }
    }
}

extension SeededRandom {
    mutating func text(below limit: Int = 20) -> WireString {
        WireString(bytes(below(limit)).map { $0 == 0 ? 1 : $0 })
    }

    mutating func data() -> [UInt8] { bytes(oneIn(4) ? 0 : below(60)) }

    mutating func values() -> [[UInt8]?] {
        (0..<below(6)).map { _ in oneIn(4) ? nil : data() }
    }

    mutating func formats(_ count: Int) -> [Int16] {
        (0..<count).map { _ in Int16(below(2)) }
    }

    mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: anyWidth()) }
    mutating func short() -> Int16 { Int16(truncatingIfNeeded: anyWidth()) }
}
