/// What a simulated run does to a store: the rows of the table of operations by faults.
package enum StoreOperation: Int, CaseIterable, Sendable {
    case open
    case commitSynced, commitBuffered, commitLarge, commitRefused
    case fork, forkPast, snapshot, dropSnapshot
    case rename, handOver, protect, expire, window, delete, undelete, reset, undo
    case read, find, readPast, readView, history, events, refusal
    case sync, checkpoint, step, reclaim, check, usage, close

    /// How often it is drawn, beside the others. `open` comes by itself.
    var weight: Int {
        switch self {
        case .open: 0
        case .commitSynced: 22
        case .commitBuffered: 18
        case .commitLarge: 4
        case .commitRefused: 3
        case .fork: 4
        case .forkPast: 4
        case .snapshot: 3
        case .dropSnapshot: 2
        case .rename: 2
        case .handOver: 1
        case .protect: 2
        case .expire: 2
        case .window: 1
        case .delete: 4
        case .undelete: 3
        case .reset: 4
        case .undo: 2
        case .read: 6
        case .find: 5
        case .readPast: 5
        case .readView: 3
        case .history: 3
        case .events: 1
        case .refusal: 3
        case .sync: 4
        case .checkpoint: 3
        case .step: 8
        case .reclaim: 3
        case .check: 1
        case .usage: 1
        case .close: 1
        }
    }

    /// Whether it never writes.
    package var onlyReads: Bool {
        switch self {
        case .read, .find, .readPast, .readView, .history, .events: true
        default: false
        }
    }

    private static let totalWeight = allCases.reduce(0) { $0 + $1.weight }

    /// The operation that a number below the total weight stands for.
    static func drawn(by draw: (Int) -> Int) -> StoreOperation {
        var place = draw(totalWeight)
        for operation in allCases {
            if place < operation.weight { return operation }
            place -= operation.weight
        }
        return .commitSynced
    }
}

/// What a run does to the disk beside crashing.
enum Regime: Int, CaseIterable, Sendable {
    /// Nothing: only power is lost.
    case honest
    /// Calls fail, once or for ever.
    case failing
    /// The disk fills up, and space comes back.
    case full
    /// What the disk says it did is not what it did, and bits rot.
    case lying
}
