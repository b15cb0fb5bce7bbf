/// What can go wrong with a simulated disk.
package enum Fault: Int, CaseIterable, Sendable {
    /// The call throws an I/O error. A write may have done a part, a sync any part, and anything
    /// else all or nothing of its work. What a failed sync left undone no later sync does.
    case failure
    /// The call throws that the disk is full.
    case full
    /// The power went during the call, which may be done in part; nothing works until a restart.
    case powerLoss
    /// A write that the disk says is done, and that a later sync confirms, never happens.
    case lostWrite
    /// A write lands at another sector, of the same or of another file. It gives two events: where
    /// the bytes should be and are not, and where they are and should not be.
    case misdirectedWrite
    /// A read brings what was there before the last write.
    case staleRead
    /// A read brings another sector's bytes.
    case misdirectedRead
    /// A sync returns without having made anything durable.
    case ignoredSync
    /// A bit of what was synced flips.
    case rot
    /// A crash lost an unsynced change.
    case dropped
    /// A crash left some sectors of an unsynced write and not others.
    case torn
    /// A crash left other bytes than the old and the new ones in a sector that was being written.
    case garbled
    /// A crash applied a file's unsynced changes in another order than they were made.
    case reordered

    /// Whether bytes that were synced, or that the disk said it had synced, are wrong afterwards.
    package var isDamage: Bool {
        switch self {
        case .lostWrite, .misdirectedWrite, .ignoredSync, .rot: true
        case .failure, .full, .powerLoss, .staleRead, .misdirectedRead, .dropped, .torn, .garbled,
            .reordered:
            false
        }
    }

    /// Whether a rule can ask for it on this operation. The others come by themselves: from
    /// a power loss, a crash, or ``SimulatedDisk/rot(in:count:)``.
    package func canStrike(_ operation: DiskOperation) -> Bool {
        switch self {
        case .failure: true
        case .full: [.create, .rename, .write, .truncate, .allocate].contains(operation)
        case .lostWrite, .misdirectedWrite: operation == .write
        case .staleRead, .misdirectedRead: operation == .read
        case .ignoredSync: operation == .sync || operation == .syncFolder
        case .powerLoss, .rot, .dropped, .torn, .garbled, .reordered: false
        }
    }
}

/// A fault that struck, and where.
package struct DiskEvent: Hashable, Sendable {
    /// How many operations the disk had begun.
    package let operationNumber: Int
    package let operation: DiskOperation
    package let fault: Fault
    package let file: String
    /// The bytes of the file that are not what they should be, where the fault is about bytes.
    package let range: Range<Int>
}
