package import WriteAheadLog

/// Takes nodes to the log and tells where they stand.
package protocol NodeSink {
    /// Writes nodes of one map and level.
    func write(_ nodes: [[UInt8]], kind: UInt64, level: Int) throws(LogError) -> [Location]
}

/// Makes a map's next version: writes the nodes that changes touch, and shares all others.
package struct MapWriter<Value: MapValue> {
    package typealias Change = (key: MapKey, value: Value?)
    typealias Node = MapNode<Value>

    let source: NodeSource
    let sink: any NodeSink

    package init(_ source: NodeSource, _ sink: any NodeSink) {
        self.source = source
        self.sink = sink
    }

    /// A node on its way to a new parent: one that stays as it is, or one that is not written yet.
    enum Piece {
        case kept(MapKey, Location)
        case fresh(Node)

        var firstKey: MapKey {
            switch self {
            case .kept(let key, _): key
            case .fresh(let node): node.keys[0]
            }
        }
    }

    /// The root of the map with `deleted` taken out first and then `changes` (in order, each key
    /// once) put in; ``Location/none`` where nothing is left.
    package func apply(
        _ changes: [Change],
        deleted: [KeyRange] = [],
        to root: Location
    ) throws(LogError) -> Location {
        if changes.isEmpty, deleted.isEmpty { return root }
        let batch = Batch(changes: changes, deleted: deleted)
        var pieces: [Piece]
        var level = 0
        if root == .none {
            pieces = Self.leaves(batch.fresh(), growing: true).map(Piece.fresh)
        } else {
            let node: Node = try source.node(root)
            level = node.level
            pieces = try rewrite(
                node,
                KeyRange(.first, .last),
                isLast: true,
                batch,
                0..<changes.count
            )
        }
        while pieces.count > 1 {
            let children = try settle(pieces)
            level += 1
            pieces = Self.inner(level, children).map(Piece.fresh)
        }
        return try finish(pieces)
    }

    private func finish(_ pieces: [Piece]) throws(LogError) -> Location {
        guard let only = pieces.first else { return .none }
        switch only {
        case .kept(_, let location):
            return location
        case .fresh(let node):
            // An inner node with one child is that child.
            if node.level > 0, node.children.count == 1 { return try collapse(node.children[0]) }
            return try self.settle([only])[0].location
        }
    }

    private func collapse(_ location: Location) throws(LogError) -> Location {
        var location = location
        while true {
            let node: Node = try source.node(location)
            guard node.level > 0, node.children.count == 1 else { return location }
            location = node.children[0]
        }
    }

    /// What becomes of a node whose keys are within `bounds`.
    private func rewrite(
        _ node: Node,
        _ bounds: KeyRange,
        isLast: Bool,
        _ batch: Batch,
        _ changes: Range<Int>
    ) throws(LogError) -> [Piece] {
        if node.level == 0 {
            let merged = batch.merge(node, changes)
            return Self.leaves(merged.entries, growing: merged.isGrowing && isLast)
                .map(Piece.fresh)
        }
        var pieces: [Piece] = []
        var next = changes.lowerBound
        for index in node.children.indices {
            let lower = index == 0 ? bounds.lower : node.keys[index]
            let isLastChild = index + 1 == node.children.count
            let upper = isLastChild ? bounds.upper : node.keys[index + 1]
            let from = next
            while next < changes.upperBound,
                isLast && isLastChild || batch.changes[next].key < upper
            { next += 1 }
            let range = KeyRange(lower, upper)
            if from == next, !batch.deletes(in: range) {
                pieces.append(.kept(node.keys[index], node.children[index]))
            } else if batch.deletesAll(of: range), !batch.puts(in: from..<next) {
                continue
            } else {
                let child: Node = try source.node(node.children[index])
                pieces += try rewrite(
                    child,
                    range,
                    isLast: isLast && isLastChild,
                    batch,
                    from..<next
                )
            }
        }
        let children = try settle(try join(pieces))
        return Self.inner(node.level, children).map(Piece.fresh)
    }

    /// Puts small new nodes together with their neighbours.
    private func join(_ pieces: [Piece]) throws(LogError) -> [Piece] {
        var joined: [Piece] = []
        for piece in pieces {
            guard case .fresh(let node) = piece, let last = joined.last else {
                if case .fresh(let small)? = joined.last, small.keys.count < Node.limit / 4 {
                    joined.removeLast()
                    joined += try merge(.fresh(small), piece)
                } else {
                    joined.append(piece)
                }
                continue
            }
            var isSmall = node.keys.count < Node.limit / 4
            if case .fresh(let before) = last {
                isSmall = isSmall || before.keys.count < Node.limit / 4
            }
            if isSmall {
                joined.removeLast()
                joined += try merge(last, piece)
            } else {
                joined.append(piece)
            }
        }
        return joined
    }

    private func merge(_ left: Piece, _ right: Piece) throws(LogError) -> [Piece] {
        let first = try node(left)
        let second = try node(right)
        let keys = first.keys + second.keys
        if first.level == 0 {
            let values = first.values + second.values
            return Self.leaves(Array(zip(keys, values)), growing: false).map(Piece.fresh)
        }
        let children = zip(keys, first.children + second.children).map {
            Child(key: $0, location: $1)
        }
        return Self.inner(first.level, children).map(Piece.fresh)
    }

    private func node(_ piece: Piece) throws(LogError) -> Node {
        switch piece {
        case .kept(_, let location): try source.node(location)
        case .fresh(let node): node
        }
    }
}
