public import Primitives
public import WriteAheadLog

/// Look-ups and walks in a map of the log.
@usableFromInline
package struct MapReader<Value: MapValue>: Sendable {
    @usableFromInline package let source: NodeSource
    @usableFromInline package let root: Location

    @inlinable
    package init(_ source: NodeSource, root: Location) {
        self.source = source
        self.root = root
    }

    @inlinable
    package subscript(key: MapKey) -> Value? {
        get throws(LogError) {
            guard root != .none else { return nil }
            var node: MapNode<Value> = try source.node(root)
            while node.level > 0 {
                let index = node.lastIndex(through: key)
                guard index >= 0 else { return nil }
                node = try source.node(node.children[index])
            }
            let index = node.lastIndex(through: key)
            return index >= 0 && node.keys[index] == key ? node.values[index] : nil
        }
    }

    /// The last entry at or below `key`.
    @inlinable
    package func last(through key: MapKey) throws(LogError) -> (key: MapKey, value: Value)? {
        try last { $0 <= key }
    }

    /// The last entry whose key fits, where all that fit stand before all that don't.
    @inlinable
    package func last(
        where fits: (MapKey) -> Bool
    ) throws(LogError) -> (key: MapKey, value: Value)? {
        guard root != .none else { return nil }
        return try last(root, fits)
    }

    @inlinable
    package func last(
        _ location: Location,
        _ fits: (MapKey) -> Bool
    ) throws(LogError) -> (key: MapKey, value: Value)? {
        let node: MapNode<Value> = try source.node(location)
        var index = node.keys.countOfFirst(where: fits) - 1
        if node.level == 0 { return index < 0 ? nil : (node.keys[index], node.values[index]) }
        // A child's own first key may be above the key that stands for it, after removals.
        while index >= 0 {
            if let found = try last(node.children[index], fits) { return found }
            index -= 1
        }
        return nil
    }

    /// Visits entries in order, from the first at or above `lower`, until the body returns false.
    @inlinable
    package func visit(
        from lower: MapKey = .first,
        _ body: (MapKey, Value) throws(LogError) -> Bool
    ) throws(LogError) {
        guard root != .none else { return }
        _ = try visit(root, lower, body)
    }

    @inlinable
    package func visit(
        _ location: Location,
        _ lower: MapKey,
        _ body: (MapKey, Value) throws(LogError) -> Bool
    ) throws(LogError) -> Bool {
        let node: MapNode<Value> = try source.node(location)
        let start = node.childIndex(for: lower)
        for index in start..<node.keys.count {
            if node.level > 0 {
                if try !visit(node.children[index], lower, body) { return false }
            } else if node.keys[index] >= lower {
                if try !body(node.keys[index], node.values[index]) { return false }
            }
        }
        return true
    }

    /// The first entry at or above `key`.
    @inlinable
    package func first(from key: MapKey) throws(LogError) -> (key: MapKey, value: Value)? {
        guard let (node, index) = try leaf(from: key) else { return nil }
        return (node.keys[index], node.values[index])
    }

    /// The leaf with the first entry at or above `key`, and the entry's place in it.
    @inlinable
    package func leaf(
        from key: MapKey
    ) throws(LogError) -> (node: MapNode<Value>, index: Int)? {
        root == .none ? nil : try leaf(from: key, root)
    }

    @inlinable
    package func leaf(
        from key: MapKey,
        _ location: Location
    ) throws(LogError) -> (node: MapNode<Value>, index: Int)? {
        let node: MapNode<Value> = try source.node(location)
        if node.level == 0 {
            let index = node.keys.countOfFirst { $0 < key }
            return index < node.keys.count ? (node, index) : nil
        }
        for index in node.childIndex(for: key)..<node.keys.count {
            if let found = try leaf(from: key, node.children[index]) { return found }
        }
        return nil
    }
}
