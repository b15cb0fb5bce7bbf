import DiskIO
package import Primitives

/// What a rewritten file keeps of its segments' positions, and where: extents that follow each
/// other in the file, from its header on.
///
/// Memory: 8 bytes for each extent.
package struct SegmentExtents: Sendable {
    package struct Extent: Sendable, Equatable {
        package var lsn: LSN
        package var offset: UInt64
        package var length: UInt64
    }

    /// Positions and lengths are multiples of it.
    private static let unit: UInt64 = 8

    /// Where the first segment begins.
    private let base: LSN
    /// Where each begins, in units from the base.
    private var starts: [UInt32] = []
    /// Where each begins in the file, in units, and at the end where the last one ends.
    private var offsets = [UInt32(UInt64(SegmentHeader.size) / unit)]

    package init(from base: LSN) { self.base = base }

    package var count: Int { starts.count }
    package var byteCount: Int { (starts.count + offsets.count) * 4 }

    package subscript(_ place: Int) -> Extent {
        Extent(
            lsn: LSN(rawValue: base.rawValue + UInt64(starts[place]) * Self.unit),
            offset: UInt64(offsets[place]) * Self.unit,
            length: UInt64(offsets[place + 1] - offsets[place]) * Self.unit
        )
    }

    /// Where the next extent is put in the file.
    package var nextOffset: UInt64 { UInt64(offsets[starts.count]) * Self.unit }

    /// Adds what stands in the log at or above the end of the last extent.
    package mutating func append(_ lsn: LSN, length: UInt64) {
        let start = (lsn.rawValue - base.rawValue) / Self.unit
        let end = UInt64(offsets[starts.count]) + length / Self.unit
        invariant(start >= reach, "an extent at \(lsn), out of order")
        invariant(start <= .max >> 32 && end <= .max >> 32, "an extent at \(lsn), too far")
        if starts.isEmpty || start > reach {
            starts.append(UInt32(start))
            offsets.append(UInt32(end))
        } else {
            offsets[starts.count] = UInt32(end)
        }
    }

    /// Where the last extent ends in the log, in units from the base.
    private var reach: UInt64 {
        guard let start = starts.last else { return 0 }
        return UInt64(start) + UInt64(offsets[starts.count] - offsets[starts.count - 1])
    }

    package func offset(of lsn: LSN) -> UInt64? {
        guard lsn >= base else { return nil }
        let distance = lsn.rawValue - base.rawValue
        let place = starts.indices.countOfFirst { UInt64(starts[$0]) * Self.unit <= distance } - 1
        guard place >= 0 else { return nil }
        let extent = self[place]
        let position = lsn.rawValue - extent.lsn.rawValue
        return position < extent.length ? extent.offset + position : nil
    }
}

extension SegmentExtents {
    package func encode(to writer: inout ByteWriter) {
        var before: UInt64 = 0
        for place in starts.indices {
            let length = UInt64(offsets[place + 1] - offsets[place])
            writer.append(varint: UInt64(starts[place]) - before)
            writer.append(varint: length)
            before = UInt64(starts[place]) + length
        }
    }

    package init(decoding bytes: [UInt8], from base: LSN) throws(Malformed) {
        self.init(from: base)
        var reader = ByteReader(bytes)
        while reader.remaining > 0 {
            let gap = try reader.varint("gap before an extent")
            let length = try reader.varint("extent's length")
            try append(gap: gap, length: length, reader.offset)
        }
    }

    /// The form of version 1: for each extent position, offset and length, 8 bytes each.
    package init(decodingWords bytes: [UInt8], from base: LSN) throws(Malformed) {
        self.init(from: base)
        var reader = ByteReader(bytes)
        while reader.remaining > 0 {
            let lsn: UInt64 = try reader.fixed("extent's position")
            let offset: UInt64 = try reader.fixed("extent's offset")
            let length: UInt64 = try reader.fixed("extent's length")
            let start = base.rawValue + reach * Self.unit
            guard lsn >= start, lsn % Self.unit == 0, length % Self.unit == 0, offset == nextOffset
            else { throw Malformed("an extent out of range", at: reader.offset) }
            try append(gap: (lsn - start) / Self.unit, length: length / Self.unit, reader.offset)
        }
    }

    private mutating func append(
        gap: UInt64,
        length: UInt64,
        _ place: Int
    ) throws(Malformed) {
        let (start, isFar) = reach.addingReportingOverflow(gap)
        let (end, isLong) = UInt64(offsets[starts.count]).addingReportingOverflow(length)
        guard !isFar, !isLong, length > 0, gap > 0 || starts.isEmpty,
            start <= .max >> 32, end <= .max >> 32
        else { throw Malformed("an extent out of range", at: place) }
        starts.append(UInt32(start))
        offsets.append(UInt32(end))
    }
}

extension ClosingIndex {
    /// What a rewritten file says that it keeps.
    static func loadExtents(
        _ file: any File,
        _ header: SegmentHeader
    ) throws(LogError) -> SegmentExtents {
        let base = header.geometry.base(of: header.number)
        let isPacked = header.version == SegmentHeader.formatVersions.rewritten
        let bytes = try LogError.disk { () throws(DiskError) in
            let index = try load(file, header.number)
            return isPacked ? try index?.read(.extents, file) : try index?.readWords(file)
        }
        let damage = Damage(at: base, "the index of the rewritten segment \(header.number)")
        guard let bytes else { throw .damaged(damage) }
        do throws(Malformed) {
            return isPacked
                ? try SegmentExtents(decoding: bytes, from: base)
                : try SegmentExtents(decodingWords: bytes, from: base)
        } catch { throw .damaged(damage) }
    }
}
