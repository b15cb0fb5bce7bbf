import DiskIO
package import Primitives

extension ClosingIndex.Part {
    func encode(
        _ builder: SegmentIndexBuilder,
        _ extents: [SegmentExtents.Extent]
    ) -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .records: for entry in builder.records { entry.encode(to: &writer) }
        case .order: for place in builder.byTimeline() { writer.append(fixed: place) }
        case .blocks:
            for entry in builder.blocks.sorted(by: BlockEntry.inOrder) { entry.encode(to: &writer) }
        case .ranges: for entry in builder.ranges { entry.encode(to: &writer) }
        case .roots: for entry in builder.roots { entry.encode(to: &writer) }
        case .extents: for entry in extents { entry.encode(to: &writer) }
        }
        return writer.bytes
    }
}

extension SegmentIndexBuilder {
    func byTimeline() -> [UInt32] {
        records.indices.sorted {
            let left = records[$0]
            let right = records[$1]
            return left.timeline == right.timeline
                ? left.lsn < right.lsn : left.timeline < right.timeline
        }.map(UInt32.init)
    }
}

extension RecordEntry {
    func encode(to writer: inout ByteWriter) {
        for word in [lsn.rawValue, time.rawValue, clock.rawValue, timeline.rawValue] {
            writer.append(fixed: word)
        }
        writer.append(fixed: length)
        writer.append(fixed: pages)
        writer.append(fixed: UInt64(kind.rawValue))
    }

    package init(from reader: inout ByteReader) throws(Malformed) {
        let lsn: UInt64 = try reader.fixed("record's position")
        let time: UInt64 = try reader.fixed("record's time")
        let clock: UInt64 = try reader.fixed("record's clock")
        let timeline: UInt64 = try reader.fixed("record's timeline")
        let length: UInt32 = try reader.fixed("record's length")
        let pages: UInt32 = try reader.fixed("record's pages")
        let kind: UInt64 = try reader.fixed("record's kind")
        guard let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: kind)) else {
            throw Malformed("record's kind", at: reader.offset)
        }
        self.init(
            lsn: LSN(rawValue: lsn),
            time: LogTime(rawValue: time),
            clock: LogTime(rawValue: clock),
            timeline: TimelineID(rawValue: timeline),
            length: length,
            pages: pages,
            kind: kind
        )
    }
}

extension BlockEntry {
    func encode(to writer: inout ByteWriter) {
        for word in [timeline.rawValue, object, page, record.rawValue] {
            writer.append(fixed: word)
        }
        location.encodeFixed(to: &writer)
    }

    package init(from reader: inout ByteReader) throws(Malformed) {
        let timeline: UInt64 = try reader.fixed("block's timeline")
        let object: UInt64 = try reader.fixed("block's object")
        let page: UInt64 = try reader.fixed("block's page")
        let record: UInt64 = try reader.fixed("block's commit")
        self.init(
            timeline: TimelineID(rawValue: timeline),
            object: object,
            page: page,
            record: LSN(rawValue: record),
            location: try Location(from: &reader)
        )
    }
}

extension RangeEntry {
    func encode(to writer: inout ByteWriter) {
        for word in [timeline.rawValue, object, from, upTo, record.rawValue] {
            writer.append(fixed: word)
        }
    }

    package init(from reader: inout ByteReader) throws(Malformed) {
        let timeline: UInt64 = try reader.fixed("range's timeline")
        let object: UInt64 = try reader.fixed("range's object")
        let from: UInt64 = try reader.fixed("range's lower bound")
        let upTo: UInt64 = try reader.fixed("range's upper bound")
        let record: UInt64 = try reader.fixed("range's commit")
        self.init(
            timeline: TimelineID(rawValue: timeline),
            object: object,
            from: from,
            upTo: upTo,
            record: LSN(rawValue: record)
        )
    }
}

extension RootEntry {
    func encode(to writer: inout ByteWriter) {
        writer.append(fixed: timeline.rawValue)
        writer.append(fixed: record.rawValue)
        root.encodeFixed(to: &writer)
    }

    package init(from reader: inout ByteReader) throws(Malformed) {
        let timeline: UInt64 = try reader.fixed("root's timeline")
        let record: UInt64 = try reader.fixed("root's record")
        self.init(
            timeline: TimelineID(rawValue: timeline),
            record: LSN(rawValue: record),
            root: try Location(from: &reader)
        )
    }
}

/// What a rewritten segment keeps of its positions, and where in its file.
package struct SegmentExtents: Sendable {
    package struct Extent: Sendable, Equatable {
        package var lsn: LSN
        package var offset: UInt64
        package var length: UInt64

        package init(lsn: LSN, offset: UInt64, length: UInt64) {
            self.lsn = lsn
            self.offset = offset
            self.length = length
        }

        func encode(to writer: inout ByteWriter) {
            for word in [lsn.rawValue, offset, length] { writer.append(fixed: word) }
        }
    }

    package let extents: [Extent]

    package init(_ extents: [Extent]) { self.extents = extents }

    package func offset(of lsn: LSN) -> UInt64? {
        var low = 0
        var high = extents.count
        while low < high {
            let middle = (low + high) / 2
            if extents[middle].lsn <= lsn { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let extent = extents[low - 1]
        let distance = lsn.rawValue - extent.lsn.rawValue
        return distance < extent.length ? extent.offset + distance : nil
    }
}

extension ClosingIndex {
    static func loadExtents(
        _ file: any File,
        _ number: SegmentNumber,
        _ geometry: Geometry
    ) throws(LogError) -> SegmentExtents {
        let bytes = try LogError.disk { () throws(DiskError) in
            try load(file, number)?.read(.extents, file)
        }
        let damage = Damage(
            at: geometry.base(of: number),
            "the index of the rewritten segment \(number)"
        )
        guard let bytes else { throw .damaged(damage) }
        do throws(Malformed) { return try SegmentExtents(decoding: bytes) } catch {
            throw .damaged(damage)
        }
    }
}

extension SegmentExtents {
    init(decoding bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes)
        var extents: [Extent] = []
        extents.reserveCapacity(bytes.count / ClosingIndex.Part.extents.entrySize)
        while reader.remaining > 0 {
            let lsn: UInt64 = try reader.fixed("extent's position")
            extents.append(
                .init(
                    lsn: LSN(rawValue: lsn),
                    offset: try reader.fixed("extent's offset"),
                    length: try reader.fixed("extent's length")
                )
            )
        }
        self.init(extents)
    }
}
