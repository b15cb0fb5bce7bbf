import DiskIO
package import Primitives

extension ClosingIndex.Part {
    func encode(
        _ builder: SegmentIndexBuilder,
        _ extents: SegmentExtents?
    ) -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .records: for entry in builder.records { entry.encode(to: &writer) }
        case .order: for place in builder.byTimeline() { writer.append(fixed: place) }
        case .blocks:
            for entry in builder.blocks.sorted(by: BlockEntry.inOrder) { entry.encode(to: &writer) }
        case .ranges: for entry in builder.ranges { entry.encode(to: &writer) }
        case .roots: for entry in builder.roots { entry.encode(to: &writer) }
        case .extents: extents?.encode(to: &writer)
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
