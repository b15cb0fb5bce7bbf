package import PageStorage
package import Primitives
package import WriteAheadLog

/// A place in history: the state after a record, on a timeline.
package struct Origin: Sendable, Equatable {
    package var timeline: TimelineID
    package var lsn: LSN

    package init(timeline: TimelineID, lsn: LSN) {
        self.timeline = timeline
        self.lsn = lsn
    }
}

/// A record by which a point is known.
package struct RecordMark: Sendable, Equatable {
    package var lsn: LSN
    package var time: LogTime
    package var clock: LogTime

    package init(lsn: LSN, time: LogTime, clock: LogTime) {
        self.lsn = lsn
        self.time = time
        self.clock = clock
    }

    func encode(to writer: inout ByteWriter) {
        writer.append(varint: lsn.rawValue)
        writer.append(varint: time.rawValue)
        writer.append(zigzag: Int64(bitPattern: clock.rawValue &- time.rawValue))
    }

    init(decoding reader: inout ByteReader) throws(Malformed) {
        lsn = LSN(rawValue: try reader.varint("record's position"))
        time = LogTime(rawValue: try reader.varint("record's time"))
        let distance = try reader.zigzag("record's clock")
        clock = LogTime(rawValue: time.rawValue &+ UInt64(bitPattern: distance))
    }
}

/// What the catalog knows of a timeline.
package struct TimelineEntry: Sendable {
    /// The branch, or snapshot, that it was made for.
    package var owner: UInt64
    /// Where it branched off; nil for the first of all.
    package var origin: Origin?
    /// How many timelines stand above it, and one far up, for finding the one that held a moment.
    package var depth: UInt32
    package var jump: TimelineID
    /// The map that it began with, where that was written down for it.
    package var birthRoot: Location
    /// Whether it began with no pages at all, and not with those of its origin's head.
    package var beganEmpty = false
    package var birth: RecordMark
    package var last: RecordMark
    /// When nothing can be written to it any more: after a reset, or as a snapshot's.
    package var isClosed: Bool
    /// Whether its pages are gone, since no kept history shows them.
    package var isPurged = false
    package var pages: PageMap
    /// In memory only: the checkpoint that `pages.newer` will be part of.
    package var epoch: UInt64 = 0
    /// In memory only: the timeline under which that checkpoint merges `pages.older`.
    package var mergedAs = TimelineID.none

    package init(
        owner: UInt64,
        origin: Origin?,
        depth: UInt32,
        jump: TimelineID,
        birthRoot: Location,
        birth: RecordMark,
        pages: PageMap
    ) {
        self.owner = owner
        self.origin = origin
        self.depth = depth
        self.jump = jump
        self.birthRoot = birthRoot
        self.birth = birth
        last = birth
        isClosed = false
        self.pages = pages
    }
}

extension TimelineEntry: MapValue {
    package static var kind: UInt64 { 2 }

    package func encode(to writer: inout ByteWriter) {
        invariant(pages.isClean, "a timeline is written down without its newest pages")
        writer.append(
            UInt8(
                (origin == nil ? 0 : 1) | (isClosed ? 2 : 0) | (isPurged ? 4 : 0)
                    | (beganEmpty ? 8 : 0)
            )
        )
        writer.append(varint: owner)
        if let origin {
            writer.append(varint: origin.timeline.rawValue)
            writer.append(varint: origin.lsn.rawValue)
        }
        writer.append(varint: UInt64(depth))
        writer.append(varint: jump.rawValue)
        birthRoot.encode(to: &writer)
        birth.encode(to: &writer)
        last.encode(to: &writer)
        pages.root.encode(to: &writer)
    }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        let flags = try reader.byte("timeline")
        owner = try reader.varint("timeline's owner")
        if flags & 1 != 0 {
            let timeline = TimelineID(rawValue: try reader.varint("timeline's origin"))
            origin = Origin(
                timeline: timeline,
                lsn: LSN(rawValue: try reader.varint("timeline's origin"))
            )
        }
        depth = UInt32(truncatingIfNeeded: try reader.varint("timeline's depth"))
        jump = TimelineID(rawValue: try reader.varint("timeline's jump"))
        birthRoot = try Location(decoding: &reader)
        birth = try RecordMark(decoding: &reader)
        last = try RecordMark(decoding: &reader)
        isClosed = flags & 2 != 0
        isPurged = flags & 4 != 0
        beganEmpty = flags & 8 != 0
        pages = PageMap(root: try Location(decoding: &reader))
    }
}
