import Primitives
package import WriteAheadLog

/// A walk over the written pages of a map, in order, with where each stands.
///
/// It keeps its place in the map of the log and in both layers on top, so a step to the next page
/// looks at what is at hand, and only a new leaf is found from the root on.
package struct PageWalk {
    private let map: PageMap
    private let reader: MapReader<Location>
    private var next: MapKey?
    /// What was deleted as a range is passed over in one step: up to here, in the log.
    private var undeleted: MapKey
    private var leaf: (node: MapNode<Location>, index: Int)?
    private var newer, older: (key: MapKey, value: Location)?

    /// A walk from the first page at or above `first` on.
    package init(_ map: PageMap, from first: MapKey, _ nodes: NodeSource) throws(LogError) {
        self.map = map
        reader = MapReader(nodes, root: map.root)
        next = first
        undeleted = first
        newer = map.newer.pages.first(from: first)
        older = map.older.pages.first(from: first)
        leaf = try reader.leaf(from: first)
    }

    /// The next written page; nil at the end.
    package mutating func step() throws(LogError) -> (key: MapKey, location: Location)? {
        while let from = next {
            try advance(to: from)
            let inTree = leaf.map { ($0.node.keys[$0.index], $0.node.values[$0.index]) }
            guard let key = [inTree?.0, newer?.key, older?.key].compactMap({ $0 }).min() else {
                next = nil
                return nil
            }
            next = key < .last ? key.successor : nil
            switch answer(key) {
            case .at(let location): return (key, location)
            case .deleted: continue
            case .untouched: if let inTree, inTree.0 == key { return (key, inTree.1) }
            }
        }
        return nil
    }

    /// What the layers in memory say of a page that is the next in one of the three.
    private mutating func answer(_ key: MapKey) -> Delta.Answer {
        let answer = answer(key, map.newer, newer)
        return answer == .untouched ? self.answer(key, map.older, older) : answer
    }

    private mutating func answer(
        _ key: MapKey,
        _ layer: Delta,
        _ entry: (key: MapKey, value: Location)?
    ) -> Delta.Answer {
        if let entry, entry.key == key {
            return entry.value == .none ? .deleted : .at(entry.value)
        }
        guard let end = layer.end(ofRangeAt: key) else { return .untouched }
        undeleted = max(undeleted, end)
        return .deleted
    }

    private mutating func advance(to key: MapKey) throws(LogError) {
        if let entry = newer, entry.key < key { newer = map.newer.pages.first(from: key) }
        if let entry = older, entry.key < key { older = map.older.pages.first(from: key) }
        guard let (node, index) = leaf else { return }
        let key = max(key, undeleted)
        if node.keys[index] >= key { return }
        if let last = node.keys.last, last >= key {
            leaf = (node, node.keys.countOfFirst { $0 < key })
        } else {
            leaf = try reader.leaf(from: key)
        }
    }
}
