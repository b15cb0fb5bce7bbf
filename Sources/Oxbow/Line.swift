import DiskIO
import PageStorage
import Timelines
import WriteAheadLog

/// A branch for as long as it stays on one timeline: what is built on its pages and keeps some of
/// them in memory must not be led to others by a reset.
///
/// Once the branch was reset or deleted, everything here throws an error of kind
/// ``OxbowError/Kind/conflict`` or ``OxbowError/Kind/notFound``, and changes nothing.
package struct Line: Sendable {
    package let branch: Branch
    package let timeline: TimelineID

    /// What is unique to this process and timeline.
    package struct ID: Hashable, Sendable {
        let core: ObjectIdentifier
        let timeline: TimelineID
    }

    package var id: ID { ID(core: ObjectIdentifier(branch.core), timeline: timeline) }

    /// Makes changes in one step, buffered: all of them, or, where the body throws, none.
    package func commit<Failure: Error>(
        translating translate: (OxbowError) -> Failure,
        _ body: (Edit) throws(Failure) -> Void
    ) throws(Failure) {
        let edit = Edit(core: branch.core, branch: branch.id, on: timeline)
        defer { edit.end() }
        try body(edit)
        do throws(OxbowError) { _ = try branch.core.publish(edit) } catch {
            throw translate(error)
        }
    }

    /// Fails where the branch has left the timeline.
    package func expectCurrent() throws(OxbowError) {
        guard try branch.core.current(branch.id).timeline == timeline else {
            throw StoreCore.left(branch.id)
        }
    }

    /// What the branch shows now.
    package func pages() throws(OxbowError) -> Pages {
        let head = try branch.core.head(of: branch.id)
        let pin = Pin(branch.core, head.pin)
        guard head.timeline == timeline else { throw StoreCore.left(branch.id) }
        return Pages(store: branch.store, map: head.map, pin: pin)
    }
}

extension Branch {
    /// The branch on the timeline that it is on now.
    package func line() throws(OxbowError) -> Line {
        Line(branch: self, timeline: try core.current(id).timeline)
    }
}

extension StoreCore {
    static func left(_ branch: BranchID) -> OxbowError {
        OxbowError(.conflict, "branch \(branch) was reset, and does not show this any more")
    }
}

extension Store {
    /// What the store's clock says: nanoseconds since 1970.
    package var now: UInt64 { core.clock.now() }

    /// How many bytes the disk has, and how many of them are free.
    package func space() throws(OxbowError) -> (total: UInt64, available: UInt64) {
        try attempt("measure the disk") { () throws(LogError) in
            try LogError.disk { () throws(DiskError) in
                (try core.disk.totalBytes(), try core.disk.availableBytes())
            }
        }
    }

    /// A number that is hardly ever the same twice, for what should not be foreseen. Not a secret.
    package func seed() -> UInt64 {
        let end = core.log.lock.withLock { core.log.end }
        return Checksum.fold(core.log.options.store.blockSeed, now ^ end.rawValue)
    }
}
