package import Primitives

/// What a record does.
package enum RecordKind: UInt8, Sendable, CaseIterable {
    /// A commit: its page blocks, or the location of the root that a large one made.
    case commit = 1
    /// Blocks that mean nothing until a later record points at them.
    case blocks = 2
    /// The roots of all maps as they stood at a cut.
    case checkpoint = 3
    /// A change to branches, snapshots or retention.
    case lifecycle = 4
    /// Nothing: it says what was durable when it was written.
    case mark = 5

    /// Whether it does something that somebody asked for.
    package var isChange: Bool { self == .commit || self == .lifecycle }
}

/// The head of a record. A record is atomic: it counts only whole.
///
/// Layout, little-endian, 64 bytes; then the meta bytes, padded to eight, then the blocks, each
/// padded to eight:
///
///     0  u32 length of it all    4 u8 kind   5 u8 zero   6 u16 zero
///     8  u64 timeline            40 u32 number of blocks    44 u32 length of the meta bytes
///     16 u64 time                48 u64 content: XXH3 of the meta bytes, then folded with each
///     24 u64 clock                  block's header checksum
///     32 u64 durable LSN         56 u64 XXH3 of bytes 0 to 56, seeded by incarnation and LSN
///
/// The seed keeps a record from another place, or from an earlier life of the file, from passing.
package struct RecordHeader: Sendable, Equatable {
    package static let size = 64

    package var length: UInt32
    package var kind: RecordKind
    package var timeline: TimelineID
    package var time: LogTime
    /// What the clock said, where `time` is what the log made of it.
    package var clock: LogTime
    package var durable: LSN
    package var blockCount: UInt32
    package var metaLength: UInt32
    package var content: UInt64

    package static func seed(incarnation: UInt64, lsn: LSN) -> UInt64 {
        incarnation ^ (lsn.rawValue &* 0x9E37_79B9_7F4A_7C15)
    }

    package func store(to target: UnsafeMutableRawPointer, seed: UInt64) {
        unsafe target.storeBytes(of: length.littleEndian, as: UInt32.self)
        unsafe target.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
        unsafe target.storeBytes(of: 0, toByteOffset: 5, as: UInt8.self)
        unsafe target.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        func put(_ value: UInt64, _ offset: Int) {
            unsafe target.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
        }
        put(timeline.rawValue, 8)
        put(time.rawValue, 16)
        put(clock.rawValue, 24)
        put(durable.rawValue, 32)
        unsafe target.storeBytes(of: blockCount.littleEndian, toByteOffset: 40, as: UInt32.self)
        unsafe target.storeBytes(of: metaLength.littleEndian, toByteOffset: 44, as: UInt32.self)
        put(content, 48)
        put(
            unsafe Checksum.of(UnsafeRawBufferPointer(start: target, count: 56), seed: seed),
            56
        )
    }

    /// The header that these bytes begin with, if it is a sound one for this place.
    package static func load(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> RecordHeader? {
        guard bytes.count >= size else { return nil }
        let length = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        // Cheap refusals first: most places that are looked at hold no record.
        guard length >= UInt32(size), length % 8 == 0,
            let kind = unsafe RecordKind(rawValue: bytes[4]), unsafe bytes[5] == 0,
            unsafe bytes[6] == 0, unsafe bytes[7] == 0
        else { return nil }
        func word(_ offset: Int) -> UInt64 {
            unsafe UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            )
        }
        let sum = unsafe Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<56]), seed: seed)
        guard word(56) == sum else { return nil }
        let counts = word(40)
        return RecordHeader(
            length: length,
            kind: kind,
            timeline: TimelineID(rawValue: word(8)),
            time: LogTime(rawValue: word(16)),
            clock: LogTime(rawValue: word(24)),
            durable: LSN(rawValue: word(32)),
            blockCount: UInt32(truncatingIfNeeded: counts),
            metaLength: UInt32(truncatingIfNeeded: counts >> 32),
            content: word(48)
        )
    }
}
