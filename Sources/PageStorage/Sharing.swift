package import Primitives
package import WriteAheadLog

/// Finds out which blocks are under one root only, of several.
///
/// Every node is read at most twice, however many roots reach it: when the first does, and when
/// the second makes it, and all below it, shared.
package struct Sharing {
    private let nodes: NodeSource
    private var met: Set<UInt64> = []
    private var shared: Set<UInt64> = []
    private var metBlocks: LiveSet
    private var sharedBlocks: LiveSet

    /// Counts the blocks in a stretch of the log.
    package init(_ nodes: NodeSource, _ stretch: Range<LSN>, _ geometry: Geometry) {
        self.nodes = nodes
        metBlocks = LiveSet(stretch, geometry)
        sharedBlocks = LiveSet(stretch, geometry)
    }

    /// All blocks that were met, each once.
    package var totalBytes: UInt64 { metBlocks.totalBytes }

    /// Takes another root's map in.
    package mutating func visit(_ location: Location) throws(LogError) {
        guard location != .none, !shared.contains(location.lsn.rawValue) else { return }
        let isFirst = met.insert(location.lsn.rawValue).inserted
        if !isFirst { shared.insert(location.lsn.rawValue) }
        let node: MapNode<Location> = try nodes.passing(location)
        note(location, isShared: !isFirst)
        for child in node.children { try visit(child) }
        for page in node.values { note(page, isShared: !isFirst) }
    }

    private mutating func note(_ block: Location, isShared: Bool) {
        let isNew = metBlocks.mark(block)
        if isShared || !isNew { sharedBlocks.mark(block) }
    }

    /// The blocks under a root that no other root reaches. All roots were taken in before.
    package func bytesAlone(under location: Location) throws(LogError) -> UInt64 {
        guard location != .none, !shared.contains(location.lsn.rawValue) else { return 0 }
        let node: MapNode<Location> = try nodes.passing(location)
        var bytes = own(location)
        for child in node.children { bytes += try bytesAlone(under: child) }
        for page in node.values { bytes += own(page) }
        return bytes
    }

    private func own(_ block: Location) -> UInt64 {
        guard metBlocks.stretch.contains(block.lsn), !sharedBlocks.contains(block.lsn) else {
            return 0
        }
        return UInt64(aligned(Int(block.length)))
    }
}

/// How many bytes of log maps hold, each subtree measured once.
package struct SubtreeSizes {
    private let nodes: NodeSource
    private var known: [UInt64: UInt64] = [:]

    package init(_ nodes: NodeSource) { self.nodes = nodes }

    package mutating func bytes(under location: Location) throws(LogError) -> UInt64 {
        guard location != .none else { return 0 }
        if let bytes = known[location.lsn.rawValue] { return bytes }
        let node: MapNode<Location> = try nodes.passing(location)
        var bytes = UInt64(aligned(Int(location.length)))
        for child in node.children { bytes += try self.bytes(under: child) }
        for page in node.values { bytes += UInt64(aligned(Int(page.length))) }
        known[location.lsn.rawValue] = bytes
        return bytes
    }
}
