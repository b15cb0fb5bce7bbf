public import Primitives

extension OrderedMap {
    /// Visits entries in order, from the first at or above `lower` to the last below `upper`,
    /// until the body returns false.
    @inlinable
    package func visit<Failure: Error>(
        from lower: MapKey = .first,
        upTo upper: MapKey? = nil,
        _ body: (MapKey, Value) throws(Failure) -> Bool
    ) throws(Failure) {
        guard let node = root else { return }
        _ = try Self.visit(node, lower, upper, body)
    }

    @inlinable
    package static func visit<Failure: Error>(
        _ node: OrderedNode<Value>,
        _ lower: MapKey,
        _ upper: MapKey?,
        _ body: (MapKey, Value) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        var index = node.isLeaf ? node.lowerBound(lower) : node.childIndex(for: lower)
        while index < node.count {
            let key = node.key(index)
            if node.isLeaf {
                if let upper, key >= upper { return false }
                if try !body(key, node.value(index)) { return false }
            } else {
                if let upper, key >= upper { return false }
                if try !visit(node.child(index), lower, upper, body) { return false }
            }
            index += 1
        }
        return true
    }

    /// The first entry at or above `key`.
    @inlinable
    package func first(from key: MapKey) -> (key: MapKey, value: Value)? {
        var found: (MapKey, Value)?
        visit(from: key) { key, value in
            found = (key, value)
            return false
        }
        return found
    }

    /// The last entry at or below `key`.
    @inlinable
    package func last(through key: MapKey) -> (key: MapKey, value: Value)? {
        last { $0 <= key }
    }

    /// The last entry whose key fits, where all that fit stand before all that don't.
    @inlinable
    package func last(where fits: (MapKey) -> Bool) -> (key: MapKey, value: Value)? {
        guard let node = root else { return nil }
        return Self.last(node, fits)
    }

    @inlinable
    package static func last(
        _ node: OrderedNode<Value>,
        _ fits: (MapKey) -> Bool
    ) -> (key: MapKey, value: Value)? {
        var index = (0..<node.count).countOfFirst { fits(node.key($0)) } - 1
        if node.isLeaf { return index < 0 ? nil : (node.key(index), node.value(index)) }
        // A child's own first key may be above the key that stands for it, after removals.
        while index >= 0 {
            if let found = last(node.child(index), fits) { return found }
            index -= 1
        }
        return nil
    }

    /// All entries, in order.
    @inlinable package var entries: [(key: MapKey, value: Value)] {
        var all: [(key: MapKey, value: Value)] = []
        all.reserveCapacity(count)
        visit { key, value in
            all.append((key, value))
            return true
        }
        return all
    }

    @inlinable package var keys: [MapKey] { entries.map(\.key) }
}
