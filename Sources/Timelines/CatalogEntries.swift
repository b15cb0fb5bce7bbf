package import PageStorage
package import Primitives
package import WriteAheadLog

/// Who has a name. Names are found by a hash of all but their last eight bytes, so an entry holds
/// all whose hashes and ends are equal.
package struct NameEntry: Sendable, Equatable, MapValue {
    package enum Holder: Sendable, Equatable {
        case branch(BranchID)
        case snapshot(UInt64)
    }

    package var holders: [(name: String, holder: Holder)]

    package init(holders: [(name: String, holder: Holder)]) { self.holders = holders }

    package static func == (left: NameEntry, right: NameEntry) -> Bool {
        left.holders.elementsEqual(right.holders) { $0 == $1 }
    }

    /// Names that are counted up stand side by side: a branch for each of many runs finds its place
    /// in memory that is warm.
    package static func key(_ name: String) -> MapKey {
        var name = name
        return name.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            let end = max(0, bytes.count - 8)
            var last: UInt64 = 0
            if bytes.count >= 8 {
                last = unsafe bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self).bigEndian
            } else {
                for index in 0..<bytes.count { last = unsafe last << 8 | UInt64(bytes[index]) }
            }
            return unsafe MapKey(
                Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end])),
                last
            )
        }
    }

    package subscript(name: String) -> Holder? {
        holders.first { $0.name == name }?.holder
    }

    package static var kind: UInt64 { 4 }

    package func encode(to writer: inout ByteWriter) {
        writer.append(varint: UInt64(holders.count))
        for (name, holder) in holders {
            writer.append(text: name)
            switch holder {
            case .branch(let id):
                writer.append(UInt8(0))
                writer.append(varint: id.rawValue)
            case .snapshot(let id):
                writer.append(UInt8(1))
                writer.append(varint: id)
            }
        }
    }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        holders = []
        for _ in 0..<(try reader.count("names", ofAtLeast: 3)) {
            let name = try reader.text("name")
            let isSnapshot = try reader.byte("name's holder") == 1
            let id = try reader.varint("name's holder")
            holders.append((name, isSnapshot ? .snapshot(id) : .branch(BranchID(rawValue: id))))
        }
    }
}

/// A named point. It holds a closed timeline of its own, whose map is what the point shows.
package struct SnapshotEntry: Sendable, Equatable, MapValue {
    package var name: String
    package var birth: RecordMark
    package var authorship: Authorship
    package var branch: BranchID
    package var point: Origin
    package var pointTime: RecordMark
    package var timeline: TimelineID

    package init(
        name: String,
        birth: RecordMark,
        authorship: Authorship,
        branch: BranchID,
        point: Origin,
        pointTime: RecordMark,
        timeline: TimelineID
    ) {
        self.name = name
        self.birth = birth
        self.authorship = authorship
        self.branch = branch
        self.point = point
        self.pointTime = pointTime
        self.timeline = timeline
    }

    package static var kind: UInt64 { 5 }

    package func encode(to writer: inout ByteWriter) {
        writer.append(text: name)
        birth.encode(to: &writer)
        authorship.encode(to: &writer)
        writer.append(varint: branch.rawValue)
        writer.append(varint: point.timeline.rawValue)
        writer.append(varint: point.lsn.rawValue)
        pointTime.encode(to: &writer)
        writer.append(varint: timeline.rawValue)
    }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        name = try reader.text("snapshot's name")
        birth = try RecordMark(decoding: &reader)
        authorship = try Authorship(decoding: &reader)
        branch = BranchID(rawValue: try reader.varint("snapshot's branch"))
        let line = TimelineID(rawValue: try reader.varint("snapshot's point"))
        point = Origin(timeline: line, lsn: LSN(rawValue: try reader.varint("snapshot's point")))
        pointTime = try RecordMark(decoding: &reader)
        timeline = TimelineID(rawValue: try reader.varint("snapshot's timeline"))
    }
}

/// What the store knows of a segment.
package struct SegmentEntry: Sendable, Equatable, MapValue {
    package var predecessor: SegmentNumber?
    /// Zero while records are appended to it.
    package var end: LSN
    package var generation: UInt32

    package init(predecessor: SegmentNumber?, end: LSN, generation: UInt32) {
        self.predecessor = predecessor
        self.end = end
        self.generation = generation
    }

    package static var kind: UInt64 { 6 }

    package func encode(to writer: inout ByteWriter) {
        writer.append(varint: predecessor.map { $0.rawValue + 1 } ?? 0)
        writer.append(varint: end.rawValue)
        writer.append(varint: UInt64(generation))
    }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        let before = try reader.varint("segment's predecessor")
        predecessor = before == 0 ? nil : SegmentNumber(rawValue: before - 1)
        end = LSN(rawValue: try reader.varint("segment's end"))
        generation = UInt32(truncatingIfNeeded: try reader.varint("segment's generation"))
    }
}

/// Nothing but a key: when which branch expires.
package struct ExpiryEntry: Sendable, Equatable, MapValue {
    package init() {}
    package static var kind: UInt64 { 7 }
    package func encode(to writer: inout ByteWriter) { writer.append(UInt8(1)) }
    package init(decoding reader: inout ByteReader) throws(Malformed) {
        _ = try reader.byte("expiry")
    }
}
