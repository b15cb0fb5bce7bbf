package import Primitives

/// What a log needs to be told.
package struct LogOptions: Sendable {
    package var geometry: Geometry
    package var store: StoreID
    /// Random, and new each time the store is opened for writing.
    package var incarnation: UInt64
    /// What stays free when appending is refused: for deletions, and for making room.
    package var reserveBytes: UInt64
    /// What stays free even then, so that the store can be opened again.
    package var openingBytes: UInt64
    /// Appended and not yet written, at most; past it, committers wait for a flush.
    package var unflushedLimit: Int
    /// How far ahead of its end the log's blocks are written with zeros; 0 for not at all.
    package var zeroAheadBytes = 0

    package init(
        geometry: Geometry,
        store: StoreID,
        incarnation: UInt64,
        reserveBytes: UInt64,
        openingBytes: UInt64 = 0,
        unflushedLimit: Int
    ) {
        self.geometry = geometry
        self.store = store
        self.incarnation = incarnation
        self.reserveBytes = reserveBytes
        self.openingBytes = openingBytes
        self.unflushedLimit = unflushedLimit
    }
}

/// How much of the reserve what is appended may use.
package enum Urgency: Sendable {
    /// Nothing.
    case ordinary
    /// A segment, for a commit that deletes: what is deleted is room once a pass has been over it.
    case deleting
    /// All, but what opening takes: a checkpoint, and all that lets a pass free something.
    case makingRoom
}

extension LogOptions {
    /// What stays free.
    package func reserve(against urgency: Urgency) -> UInt64 {
        switch urgency {
        case .ordinary: reserveBytes
        case .deleting: reserveBytes - geometry.segmentSize
        case .makingRoom: openingBytes
        }
    }
}

/// Where the log of an earlier process ended.
package struct LogEnd: Sendable, Equatable {
    package var segment: SegmentNumber?
    package var end: LSN
    package var lastTime: LogTime
    /// No segment up to this one, this one included, may be used again.
    package var highestSegment: SegmentNumber?

    package init(
        segment: SegmentNumber?,
        end: LSN,
        lastTime: LogTime,
        highestSegment: SegmentNumber?
    ) {
        self.segment = segment
        self.end = end
        self.lastTime = lastTime
        self.highestSegment = highestSegment
    }
}
