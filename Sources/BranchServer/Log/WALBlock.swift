package import Primitives

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

/// What is needed of `global/pg_control`: where the last checkpoint stands. The first bytes are the
/// same in all versions from 13 on:
///
///     0  u64  the cluster            32  u64  the last checkpoint's record
///     8  u32  version, 1300 and up   40  u64  from where on that has to be redone
///    12  u32  of the catalog         48  u32  its timeline
///    16  u32  the state, 6 while a server runs
///
/// Its checksum follows what it holds, which is more in some versions.
package struct WALControl: Equatable, Sendable {
    package let cluster: UInt64
    package let checkpoint: UInt64
    /// From where on the log is to be redone after a crash.
    package let redo: UInt64
    package let timeline: UInt32
    /// Whether it was written by a server that ran, and so says nothing of how that ended.
    package let isRunning: Bool

    package static let fileBytes = 8192
    private static let versions: ClosedRange<UInt32> = 1300...9999
    private static let lengths = 64..<512
    private static let inProduction: UInt32 = 6

    package init(decoding bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes)
        cluster = try reader.fixed("cluster")
        let version = try reader.fixed("version", as: UInt32.self)
        guard Self.versions.contains(version) else {
            throw Malformed("a control file of version \(version), not 1300 or newer", at: 8)
        }
        _ = try reader.raw(4, "catalog")
        isRunning = try reader.fixed("state", as: UInt32.self) == Self.inProduction
        _ = try reader.raw(12, "time")
        checkpoint = try reader.fixed("checkpoint")
        redo = try reader.fixed("redo")
        timeline = try reader.fixed("timeline")
        guard redo <= checkpoint, timeline > 0 else { throw Malformed("checkpoint", at: 32) }
        try Self.expectChecksum(bytes)
    }

    private static func expectChecksum(_ bytes: [UInt8]) throws(Malformed) {
        var sum = WALChecksum()
        sum.add(bytes.prefix(lengths.lowerBound))
        for end in stride(from: lengths.lowerBound, to: lengths.upperBound, by: 4) {
            guard bytes.count >= end + 4 else { break }
            let stored = bytes[end..<end + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if stored == sum.value { return }
            sum.add(bytes[end..<end + 4])
        }
        throw Malformed("a control file whose checksum does not fit", at: lengths.lowerBound)
    }
}
