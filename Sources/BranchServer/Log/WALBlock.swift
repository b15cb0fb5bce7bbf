import Primitives

/// A block of PostgreSQL's log whose header is sound. Little-endian, as all of it is where this
/// runs:
///
///     0  u16  magic, another in each version; D1xx for a long time
///     2  u16  flags: 1 begins with the rest of a record, 2 a long header, 8 the record that
///             was begun before it is void
///     4  u32  timeline
///     8  u64  the position of this block
///    16  u32  bytes of the record before that are still to come, 4 bytes of nothing
///    24       on the first block of a file: u64 the cluster, u32 size of a file, u32 of a block
///
/// The versions from 13 on differ in their magic alone, as far as this goes.
struct WALBlock {
    let bytes: [UInt8]
    let magicNumber: UInt16
    let flags: UInt16
    let timeline: UInt32
    /// What the record that was begun on an earlier block still has to come from here on.
    let remaining: UInt64
    let headerBytes: Int

    static let headerBytes: UInt64 = 24
    static let longHeaderBytes: UInt64 = 40
    static let magic: ClosedRange<UInt16> = 0xD100...0xD1FF
    private static let knownFlags: UInt16 = 0x0F

    var isContinued: Bool { flags & 1 != 0 }
    var voidsRecord: Bool { flags & 8 != 0 }

    /// Takes bytes that may be anything; nil where they are not the block at a position.
    init?(_ bytes: [UInt8], at position: UInt64, _ geometry: WALGeometry) {
        guard bytes.count == Int(geometry.blockBytes),
            let head = try? Header(bytes),
            Self.magic.contains(head.magic), head.flags & ~Self.knownFlags == 0,
            head.position == position, head.timeline > 0,
            (head.flags & 1 != 0) == (head.remaining > 0)
        else { return nil }
        let isFirst = position % geometry.segmentBytes == 0
        guard (head.flags & 2 != 0) == isFirst else { return nil }
        if isFirst {
            guard let long = try? LongHeader(bytes), long.geometry == geometry else { return nil }
        }
        self.bytes = bytes
        magicNumber = head.magic
        flags = head.flags
        timeline = head.timeline
        remaining = UInt64(head.remaining)
        headerBytes = Int(geometry.headerBytes(at: position))
    }

    /// How the first block of a file says that the log is cut.
    static func geometry(_ bytes: [UInt8]) -> WALGeometry? {
        guard let head = try? Header(bytes), magic.contains(head.magic), head.flags & 2 != 0
        else { return nil }
        return (try? LongHeader(bytes))?.geometry
    }

    private struct Header {
        let magic: UInt16
        let flags: UInt16
        let timeline: UInt32
        let position: UInt64
        let remaining: UInt32

        init(_ bytes: [UInt8]) throws(Malformed) {
            var reader = ByteReader(bytes)
            magic = try reader.fixed("magic")
            flags = try reader.fixed("flags")
            timeline = try reader.fixed("timeline")
            position = try reader.fixed("position")
            remaining = try reader.fixed("remaining")
        }
    }

    private struct LongHeader {
        let geometry: WALGeometry?

        init(_ bytes: [UInt8]) throws(Malformed) {
            var reader = ByteReader(bytes)
            _ = try reader.raw(Int(WALBlock.headerBytes), "header")
            _ = try reader.fixed("cluster", as: UInt64.self)
            let segment = try reader.fixed("size of a file", as: UInt32.self)
            let block = try reader.fixed("size of a block", as: UInt32.self)
            geometry = WALGeometry(segmentBytes: UInt64(segment), blockBytes: UInt64(block))
        }
    }
}

/// CRC-32C, by which PostgreSQL knows its records and its control file.
package struct WALChecksum {
    private var state: UInt32 = .max

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { sum, _ in
            sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0x82F6_3B78
        }
    }

    package init() {}

    package mutating func add(_ bytes: some Sequence<UInt8>) {
        let table = Self.table
        var sum = state
        for byte in bytes { sum = sum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
        state = sum
    }

    package var value: UInt32 { ~state }
}
