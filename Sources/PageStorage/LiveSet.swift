package import Primitives
package import WriteAheadLog

/// Which blocks of a stretch of the log are live: a bit for each 64 bytes, in which a live block
/// begins. No two pages or nodes begin within the same 64 bytes, so a bit stands for one of them.
///
/// Memory: 1/512 of the stretch, taken segment by segment where anything is live.
package struct LiveSet: Sendable {
    private let geometry: Geometry
    package let stretch: Range<LSN>
    private var bits: [SegmentNumber: [UInt64]] = [:]
    /// How many bytes of each segment are live.
    package private(set) var liveBytes: [SegmentNumber: UInt64] = [:]

    /// The longest stretch that is marked at once: 32 GiB, for 64 MiB of memory.
    package static let maximumStretch: UInt64 = 32 << 30

    package init(_ stretch: Range<LSN>, _ geometry: Geometry) {
        self.stretch = stretch
        self.geometry = geometry
    }

    /// Marks a block, and returns whether it was not marked before.
    @discardableResult
    package mutating func mark(_ location: Location) -> Bool {
        guard stretch.contains(location.lsn) else { return false }
        let number = geometry.segment(of: location.lsn)
        let (word, bit) = place(location.lsn)
        let words = Int(geometry.segmentSize / 64 / 64)
        let isNew = bits[number].map { $0[word] & bit == 0 } ?? true
        bits[number, default: Array(repeating: 0, count: words)][word] |= bit
        if isNew { liveBytes[number, default: 0] += UInt64(aligned(Int(location.length))) }
        return isNew
    }

    package func contains(_ lsn: LSN) -> Bool {
        guard let words = bits[geometry.segment(of: lsn)] else { return false }
        let (word, bit) = place(lsn)
        return words[word] & bit != 0
    }

    private func place(_ lsn: LSN) -> (word: Int, bit: UInt64) {
        let granule = geometry.offset(of: lsn) / 64
        return (Int(granule / 64), 1 << (granule % 64))
    }

    package var totalBytes: UInt64 { liveBytes.values.reduce(0, +) }
}

/// Walks maps and marks all that they reach, each node once.
package struct Marker {
    private let nodes: NodeSource
    package var live: LiveSet
    private var visited: Set<UInt64> = []
    package private(set) var nodeCount = 0

    package init(_ nodes: NodeSource, _ live: LiveSet) {
        self.nodes = nodes
        self.live = live
    }

    /// Marks the nodes of a map, and hands out its values. A node that was met before is passed
    /// over with all that is below it.
    package mutating func walk<Value: MapValue>(
        _ root: Location,
        of type: Value.Type,
        _ body: (inout Marker, MapKey, Value) throws(LogError) -> Void
    ) throws(LogError) {
        guard root != .none, visited.insert(root.lsn.rawValue).inserted else { return }
        live.mark(root)
        nodeCount += 1
        let node: MapNode<Value> = try nodes.passing(root)
        for child in node.children { try walk(child, of: type, body) }
        for index in node.values.indices { try body(&self, node.keys[index], node.values[index]) }
    }

    /// Marks a page map: its nodes, and the pages that they and the layers in memory point at.
    package mutating func mark(_ map: PageMap) throws(LogError) {
        for delta in [map.older, map.newer] {
            delta.pages.visit { _, location in
                if location != .none { live.mark(location) }
                return true
            }
        }
        try markPages(map.root)
    }

    /// Marks a page map of the log.
    package mutating func markPages(_ root: Location) throws(LogError) {
        guard root != .none, visited.insert(root.lsn.rawValue).inserted else { return }
        live.mark(root)
        nodeCount += 1
        let node: MapNode<Location> = try nodes.passing(root)
        for child in node.children { try markPages(child) }
        for page in node.values { live.mark(page) }
    }
}
