package import Primitives

/// The id of a store: 128 random bits, so that segments have ids that are unique across stores.
package struct StoreID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The seed of every block header of the store.
    package var blockSeed: UInt64 { Checksum.fold(high, low) }

    package var description: String {
        [high, low].map { part in
            let digits = String(part, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// The first 4,096 bytes of a segment.
///
/// Layout, little-endian, the rest zero:
///
///     0  "OXBOWSEG"          40 u64 number        72 u64 predecessor's end
///     8  u32 format version  48 u64 incarnation   80 u64 durable LSN when it was begun
///     12 u32 page size       56 u32 generation    88 u64 time when it was begun
///     16 u32 segment bits    60 u32 further       96 u64 XXH3 of bytes 0 to 96
///     20 u32 zero            64 u64 predecessor
///     24 2 × u64 store id
///
/// Further: how many more numbers the file spans than its own. Version 2 is that of files that were
/// rewritten; version 1 was, too, and such files held one segment each.
///
/// The header of a segment says where the one before it ended, and so that it is sealed. All ones
/// in place of a predecessor: this is the store's first segment.
package struct SegmentHeader: Sendable, Equatable {
    package static let size = 4096
    package static let magic = Array("OXBOWSEG".utf8)
    /// Of files that hold records, and of those that were rewritten.
    package static let formatVersions: (records: UInt32, rewritten: UInt32) = (1, 2)

    package var version = formatVersions.records
    package var geometry: Geometry
    package var store: StoreID
    package var number: SegmentNumber
    package var incarnation: UInt64
    package var generation: UInt32
    package var further: UInt32 = 0
    package var predecessor: SegmentNumber?
    package var predecessorEnd: LSN
    package var durable: LSN
    package var begun: LogTime

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Self.size)
        writer.append(raw: Self.magic)
        writer.append(fixed: version)
        writer.append(fixed: UInt32(geometry.pageSize))
        writer.append(fixed: UInt32(geometry.segmentBits))
        writer.append(fixed: UInt32(0))
        writer.append(fixed: store.high)
        writer.append(fixed: store.low)
        writer.append(fixed: number.rawValue)
        writer.append(fixed: incarnation)
        writer.append(fixed: generation)
        writer.append(fixed: further)
        writer.append(fixed: predecessor?.rawValue ?? .max)
        writer.append(fixed: predecessorEnd.rawValue)
        writer.append(fixed: durable.rawValue)
        writer.append(fixed: begun.rawValue)
        writer.append(fixed: Checksum.of(writer.bytes))
        writer.append(raw: Array(repeating: 0, count: Self.size - writer.count))
        return writer.bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(Malformed) -> SegmentHeader {
        var reader = ByteReader(bytes)
        guard try reader.raw(8, "segment's magic") == magic else {
            throw Malformed("not a segment", at: 0)
        }
        let version: UInt32 = try reader.fixed("format version")
        guard bytes.count >= 104, try checksum(of: bytes) == Checksum.of(Array(bytes[..<96])) else {
            throw Malformed("segment header's checksum", at: 96)
        }
        guard version == formatVersions.records || version == formatVersions.rewritten else {
            throw Malformed("format version \(version); this program reads 1 and 2", at: 8)
        }
        let pageSize: UInt32 = try reader.fixed("page size")
        let bits: UInt32 = try reader.fixed("segment bits")
        let _: UInt32 = try reader.fixed("zero")
        let high: UInt64 = try reader.fixed("store id")
        let low: UInt64 = try reader.fixed("store id")
        let number: UInt64 = try reader.fixed("number")
        let incarnation: UInt64 = try reader.fixed("incarnation")
        let generation: UInt32 = try reader.fixed("generation")
        let further: UInt32 = try reader.fixed("further segments")
        let predecessor: UInt64 = try reader.fixed("predecessor")
        let predecessorEnd: UInt64 = try reader.fixed("predecessor's end")
        let durable: UInt64 = try reader.fixed("durable position")
        let begun: UInt64 = try reader.fixed("time")
        let geometry = Geometry(pageSize: Int(pageSize), segmentBits: Int(bits))
        guard geometry.isValid else { throw Malformed("sizes out of range", at: 12) }
        let isInRange = number <= .max >> UInt64(bits) - UInt64(further)
        let isRewritten = version == formatVersions.rewritten
        guard isInRange, further == 0 || isRewritten, generation > 0 || !isRewritten else {
            throw Malformed("numbers out of range", at: 40)
        }
        return SegmentHeader(
            version: version,
            geometry: geometry,
            store: StoreID(high: high, low: low),
            number: SegmentNumber(rawValue: number),
            incarnation: incarnation,
            generation: generation,
            further: further,
            predecessor: predecessor == .max ? nil : SegmentNumber(rawValue: predecessor),
            predecessorEnd: LSN(rawValue: predecessorEnd),
            durable: LSN(rawValue: durable),
            begun: LogTime(rawValue: begun)
        )
    }

    /// The segments that the file holds.
    package var span: SegmentSpan {
        let last = SegmentNumber(rawValue: number.rawValue + UInt64(further))
        return SegmentSpan(number, through: last)
    }

    private static func checksum(of bytes: [UInt8]) throws(Malformed) -> UInt64 {
        let tail = Array(bytes[96..<104])
        var reader = ByteReader(tail)
        return try reader.fixed("checksum")
    }
}
