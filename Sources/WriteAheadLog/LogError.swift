public import DiskIO
public import Primitives

/// What a layer of the log, or one above it, can fail with.
@usableFromInline
package enum LogError: Error, Sendable {
    /// The disk answered with an error.
    case disk(DiskError)
    /// What was read is not what was written there.
    case damaged(Damage)
    /// The disk is too full for more than making room.
    case full(available: UInt64, needed: UInt64)
    /// A write or sync failed earlier; nothing is acknowledged until the store is opened anew.
    case poisoned(DiskError)
    /// The history that was asked for is not kept any more.
    case notKept(LSN)
    /// The store was closed.
    case closed
    /// The next segment must be made before this can be appended. Handled inside the engine.
    case needsSegment
    /// A node must be read before the critical section can go on. Handled inside the engine.
    case needsNode(Location)
    /// Runs what only a disk's errors can stop.
    @usableFromInline package static func disk<Result>(
        _ body: () throws(DiskError) -> Result
    ) throws(LogError) -> Result {
        do throws(DiskError) { return try body() } catch { throw .disk(error) }
    }

    /// A record would be longer than a record may be. Handled inside the engine.
    case tooLarge(byteCount: Int)
}

/// One damaged place.
@usableFromInline
package struct Damage: Error, Sendable, Equatable, CustomStringConvertible {
    @usableFromInline package let lsn: LSN
    @usableFromInline package let what: String
    /// Of a record that is not sound, as far as its headers can be read: the timeline that it is
    /// on, and the page in whose block it is damaged.
    package var timeline: TimelineID?
    package var object: ObjectID?
    package var page: PageNumber?

    @usableFromInline package init(at lsn: LSN, _ what: String) {
        self.lsn = lsn
        self.what = what
    }

    @usableFromInline package var description: String { "\(what) at \(lsn)" }
}
