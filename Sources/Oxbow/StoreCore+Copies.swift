import PageStorage
import Timelines
import WriteAheadLog

/// A pin that goes with its last reference.
final class Pin: Sendable {
    private let core: StoreCore
    private let id: UInt64

    init(_ core: StoreCore, _ id: UInt64) {
        self.core = core
        self.id = id
    }

    deinit { core.unpin(id) }
}

/// Who reads a copy of the catalog, or a map out of it, keeps it whole by a pin.
///
/// A copy's maps are those of a checkpoint, its *base*, and what was done from the base's cut on.
/// So all that it reaches is kept while the cutoffs stay at or below that cut: reclaim marks every
/// checkpoint from them on, and leaves the log behind them as it is. At the moment of copying they
/// are there, since they stay at or below the cuts of both slots of the superblock.
extension StoreCore {
    /// Keeps what is copied from now on, and the history from `lsn` on where that is given.
    func pin(_ lsn: LSN = .max) -> UInt64 { log.lock.withLock { pinHeld(lsn, catalog.base) } }

    /// Call with `log.lock` held.
    func pinHeld(_ lsn: LSN, _ base: LSN) -> UInt64 {
        nextView += 1
        pins[nextView] = min(lsn, base)
        return nextView
    }

    func unpin(_ id: UInt64) { log.lock.withLock { _ = pins.removeValue(forKey: id) } }

    /// Lets the body look at the store as it is at one moment, history included.
    ///
    /// The pin keeps what the copy shows, but not what it takes for history: that would keep it
    /// from going for as long as anybody looks. So where the cutoffs moved meanwhile the body looks
    /// again, at a newer copy, and the last time they stay where they are.
    func look<Result, Failure: Error>(
        _ body: (Catalog) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var attempt = 1
        while true {
            let limit = attempt == Self.looks ? LSN.zero : .max
            let (pin, copy) = log.lock.withLock { (pinHeld(limit, catalog.base), catalog) }
            let outcome: Swift.Result<Result, Failure>
            do throws(Failure) { outcome = .success(try body(copy)) } catch {
                outcome = .failure(error)
            }
            let isCurrent = log.lock.withLock { () -> Bool in
                pins[pin] = nil
                return catalog.state.denseFrom == copy.state.denseFrom
                    && catalog.state.historyFrom == copy.state.historyFrom
            }
            if isCurrent { return try outcome.get() }
            attempt += 1
        }
    }

    /// How often one look-up is made at most.
    private static let looks = 4

    /// Reads what a branch shows now: mostly without a pin, which nearly every time nobody needs.
    /// Where what is read was freed on the way that shows as damage, and it is read again.
    func readHead<Result>(
        _ branch: BranchID,
        _ body: (PageMap) throws(OxbowError) -> Result
    ) throws(OxbowError) -> Result {
        do throws(OxbowError) { return try body(current(branch).map) } catch {
            guard error.kind == .damaged else { throw error }
        }
        let head = try head(of: branch)
        defer { unpin(head.pin) }
        return try body(head.map)
    }
}
