package import DiskIO
package import Primitives

/// The root of a store: which checkpoint to begin from, and what is known to be durable.
///
/// The file `superblock` has two slots of 4,096 bytes, written in turn, each synced before the
/// next is touched; so one is always whole. The valid slot with the higher sequence counts; the
/// other is the way back where it is damaged, so what both point at stays.
///
/// A slot, little-endian, the rest zero:
///
///     0  "OXBOWSUP"          40 u64 sequence               72 u64 durable LSN
///     8  u32 format version  48 u64 checkpoint's LSN       80 u32 1 after a clean close, u32 0
///     12 u32 page size       56 u64 checkpoint record's    88 u64 the highest segment number
///     16 u32 segment bits       length (bytes)                that the log can have used
///     20 u32 zero            64 u64 the checkpoint's cut   96 u64 XXH3 of bytes 0 to 96
///     24 2 × u64 store id
package struct Superblock: Sendable, Equatable {
    package static let fileName = "superblock"
    package static let formatVersion: UInt32 = 1
    package static let slotSize = 4096
    private static let magic = Array("OXBOWSUP".utf8)

    package var geometry: Geometry
    package var store: StoreID
    package var sequence: UInt64
    /// Zero before the first checkpoint: replay begins with the log.
    package var checkpoint: LSN
    package var checkpointLength: UInt64
    package var cut: LSN
    package var durable: LSN
    package var closedCleanly: Bool
    package var highestSegment: SegmentNumber

    package init(geometry: Geometry, store: StoreID) {
        self.geometry = geometry
        self.store = store
        sequence = 0
        checkpoint = .zero
        checkpointLength = 0
        cut = geometry.firstRecord(of: SegmentNumber(rawValue: 0))
        durable = .zero
        closedCleanly = false
        highestSegment = SegmentNumber(rawValue: 0)
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.slotSize)
        writer.append(raw: Self.magic)
        writer.append(fixed: Self.formatVersion)
        writer.append(fixed: UInt32(geometry.pageSize))
        writer.append(fixed: UInt32(geometry.segmentBits))
        writer.append(fixed: UInt32(0))
        for word in [
            store.high, store.low, sequence, checkpoint.rawValue, checkpointLength, cut.rawValue,
            durable.rawValue, closedCleanly ? 1 : 0, highestSegment.rawValue,
        ] { writer.append(fixed: word) }
        writer.append(fixed: Checksum.of(writer.bytes))
        writer.append(raw: Array(repeating: 0, count: Self.slotSize - writer.count))
        return writer.bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(Malformed) -> Superblock {
        guard bytes.count >= 104 else { throw Malformed("superblock cut short", at: bytes.count) }
        var reader = ByteReader(bytes)
        guard try reader.raw(8, "superblock's magic") == magic else {
            throw Malformed("not a superblock", at: 0)
        }
        let version: UInt32 = try reader.fixed("format version")
        let pageSize: UInt32 = try reader.fixed("page size")
        let bits: UInt32 = try reader.fixed("segment bits")
        let _: UInt32 = try reader.fixed("zero")
        var words: [UInt64] = []
        for _ in 0..<10 { words.append(try reader.fixed("superblock")) }
        guard words[9] == Checksum.of(Array(bytes[..<96])) else {
            throw Malformed("superblock's checksum", at: 96)
        }
        guard version == Self.formatVersion else {
            throw Malformed("format version \(version)", at: 8)
        }
        let geometry = Geometry(pageSize: Int(pageSize), segmentBits: Int(bits))
        guard geometry.isValid else { throw Malformed("sizes out of range", at: 12) }
        var block = Superblock(
            geometry: geometry,
            store: StoreID(high: words[0], low: words[1])
        )
        block.sequence = words[2]
        block.checkpoint = LSN(rawValue: words[3])
        block.checkpointLength = words[4]
        block.cut = LSN(rawValue: words[5])
        block.durable = LSN(rawValue: words[6])
        block.closedCleanly = words[7] == 1
        block.highestSegment = SegmentNumber(rawValue: words[8])
        return block
    }

    /// Both slots that can be read, the one that counts first; and why others cannot.
    package static func load(
        _ file: any File
    ) throws(DiskError) -> (slots: [Superblock], faults: [Malformed]) {
        var slots: [Superblock] = []
        var faults: [Malformed] = []
        for slot in 0..<2 {
            let bytes = try file.read(slotSize, at: UInt64(slot * slotSize))
            do throws(Malformed) { slots.append(try decode(bytes)) } catch { faults.append(error) }
        }
        slots.sort { $0.sequence > $1.sequence }
        return (slots, faults)
    }

    /// Writes this into the slot that its sequence falls to, durably.
    package func save(to file: any File) throws(DiskError) {
        try file.write(encoded(), at: (sequence % 2) * UInt64(Self.slotSize))
        try file.sync()
    }
}
