import DiskIO
import PageStorage
import Primitives
import Timelines
import WriteAheadLog

/// Who uses the disk.
public struct StoreUsage: Sendable, Equatable {
    /// What the store's files take of the disk.
    public internal(set) var diskBytes: UInt64 = 0
    /// How many files hold segments.
    public internal(set) var segments = 0
    /// What branches and snapshots show now, in bytes of log: each block once.
    public internal(set) var liveBytes: UInt64 = 0
    /// What is kept for history beside that, with what describes it. The rest is what is ready for
    /// the log to go on in.
    public internal(set) var historyBytes: UInt64 = 0
    /// Where history begins: before this, nothing is kept but what branches and snapshots show.
    public internal(set) var historyFrom = LSN.zero
    /// Where it is kept record by record.
    public internal(set) var denseFrom = LSN.zero
    /// What each living branch holds.
    public internal(set) var branches: [BranchUsage] = []
}

/// What one branch holds of the disk.
public struct BranchUsage: Sendable, Equatable {
    /// The branch's name.
    public let name: String
    /// What it shows now, in bytes of log, whoever else shows it too.
    public let reachableBytes: UInt64
    /// What no other branch and no snapshot shows: what deleting it would free in the end, when
    /// its history has left the window.
    public let aloneBytes: UInt64
}

extension Store {
    /// Who uses the disk; for each branch, what it holds alone. Reads every map of the store.
    public func usage() throws(OxbowError) -> StoreUsage {
        try core.checkOpen("measure the store")
        try core.checkNoPass("measure the store")
        return try attempt("measure the store") { () throws(LogError) in
            core.passLock.take()
            defer { core.passLock.giveBack() }
            return try core.usage()
        }
    }
}

extension StoreCore {
    private struct Holder {
        let name: String
        let isBranch: Bool
        let root: Location
    }

    func usage() throws(LogError) -> StoreUsage {
        try settleMaps()
        let catalog = snapshot()
        var usage = StoreUsage()
        usage.historyFrom = catalog.state.historyFrom
        usage.denseFrom = catalog.state.denseFrom
        try measureFiles(&usage)
        let holders = try holders(catalog)
        let end = log.lock.withLock { log.end }
        var alone = [UInt64](repeating: 0, count: holders.count)
        var start = LSN.zero
        while start < end {
            try checkGoing()
            let stretch = start..<min(end, start + Int(LiveSet.maximumStretch))
            var sharing = Sharing(nodes, stretch, geometry)
            for holder in holders { try sharing.visit(holder.root) }
            for index in holders.indices {
                alone[index] += try sharing.bytesAlone(under: holders[index].root)
            }
            usage.liveBytes += sharing.totalBytes
            start = stretch.upperBound
        }
        var sizes = SubtreeSizes(nodes)
        for (index, holder) in holders.enumerated() where holder.isBranch {
            usage.branches.append(
                BranchUsage(
                    name: holder.name,
                    reachableBytes: try sizes.bytes(under: holder.root),
                    aloneBytes: alone[index]
                )
            )
        }
        let others = usage.liveBytes + log.lock.withLock { log.roomAhead }
        usage.historyBytes = usage.diskBytes > others ? usage.diskBytes - others : 0
        return usage
    }

    /// Sees that every branch's map is in the log, and a root stands for it.
    private func settleMaps() throws(LogError) {
        checkpointLock.lock()
        defer { checkpointLock.unlock() }
        if log.lock.withLock({ catalog.pendingPages > 0 }) { try checkpointHeld() }
    }

    private func measureFiles(_ usage: inout StoreUsage) throws(LogError) {
        do throws(DiskError) {
            for name in try disk.list() {
                let isSegment = SegmentSpan(fileName: name) != nil
                guard isSegment || name == Superblock.fileName else { continue }
                usage.diskBytes += try disk.open(name).allocatedBytes()
                usage.segments += isSegment ? 1 : 0
            }
        } catch { throw .disk(error) }
    }

    private func holders(_ catalog: Catalog) throws(LogError) -> [Holder] {
        var all: [Holder] = []
        try catalog.branches.visit(nodes) { _, entry throws(LogError) in
            if entry.death == nil, let line = try catalog.timeline(entry.timeline, nodes) {
                all.append(Holder(name: entry.name, isBranch: true, root: line.pages.root))
            }
            return true
        }
        try catalog.snapshots.visit(nodes) { _, entry throws(LogError) in
            if let line = try catalog.timeline(entry.timeline, nodes) {
                all.append(Holder(name: entry.name, isBranch: false, root: line.pages.root))
            }
            return true
        }
        return all
    }
}
