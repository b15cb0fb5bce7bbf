package import Primitives

/// What an index keeps of one record.
package struct RecordEntry: Sendable, Equatable {
    package var lsn: LSN
    package var time: LogTime
    package var clock: LogTime
    package var timeline: TimelineID
    package var length: UInt32
    package var pages: UInt32
    package var kind: RecordKind

    package init(
        lsn: LSN,
        time: LogTime,
        clock: LogTime,
        timeline: TimelineID,
        length: UInt32,
        pages: UInt32,
        kind: RecordKind
    ) {
        self.lsn = lsn
        self.time = time
        self.clock = clock
        self.timeline = timeline
        self.length = length
        self.pages = pages
        self.kind = kind
    }
}

/// What an index keeps of one page version or page deletion of a commit.
package struct BlockEntry: Sendable, Equatable {
    package var timeline: TimelineID
    package var object: UInt64
    package var page: UInt64
    /// The commit that the version came with.
    package var record: LSN
    /// ``Location/none`` for a deletion.
    package var location: Location

    package init(
        timeline: TimelineID,
        object: UInt64,
        page: UInt64,
        record: LSN,
        location: Location
    ) {
        self.timeline = timeline
        self.object = object
        self.page = page
        self.record = record
        self.location = location
    }

    /// The order by timeline, object, page and commit.
    package static func inOrder(_ left: BlockEntry, _ right: BlockEntry) -> Bool {
        if left.timeline != right.timeline { return left.timeline < right.timeline }
        if left.object != right.object { return left.object < right.object }
        if left.page != right.page { return left.page < right.page }
        return left.record < right.record
    }
}

/// What an index keeps of a range deletion: pages `from` up to, not including, `upTo`.
package struct RangeEntry: Sendable, Equatable {
    package var timeline: TimelineID
    package var object: UInt64
    package var from: UInt64
    package var upTo: UInt64
    package var record: LSN

    package init(timeline: TimelineID, object: UInt64, from: UInt64, upTo: UInt64, record: LSN) {
        self.timeline = timeline
        self.object = object
        self.from = from
        self.upTo = upTo
        self.record = record
    }
}

/// A record that carries the whole state of a timeline as the location of its map's root.
package struct RootEntry: Sendable, Equatable {
    package var timeline: TimelineID
    package var record: LSN
    package var root: Location

    package init(timeline: TimelineID, record: LSN, root: Location) {
        self.timeline = timeline
        self.record = record
        self.root = root
    }
}
