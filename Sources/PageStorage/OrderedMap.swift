import Synchronization

/// A map in memory, ordered, with the semantics of a value: copying it copies one reference, and
/// writing copies the path to what is written, unless nobody else holds it.
///
/// Laws: keys grow from left to right; all leaves are equally deep; a node other than the root has
/// at least one entry; a node is changed only where it, and every node above it, is held once.
package struct OrderedMap<Value: Sendable>: Sendable {
    private var root: OrderedNode<Value>?
    var rootNode: OrderedNode<Value>? { root }
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { root == nil }

    /// Equal for two maps that share all; nil for an empty one.
    package var identity: ObjectIdentifier? { root.map(ObjectIdentifier.init) }

    package subscript(key: MapKey) -> Value? {
        guard var node = root else { return nil }
        while !node.isLeaf { node = node.children[node.childIndex(for: key)] }
        let index = node.lowerBound(key)
        return index < node.keys.count && node.keys[index] == key ? node.values[index] : nil
    }

    package mutating func set(_ key: MapKey, _ value: Value) {
        guard var node = take() else {
            root = OrderedNode(keys: [key], values: [value], children: [])
            count = 1
            return
        }
        if OrderedNode.insert(key, value, into: &node) { count += 1 }
        if node.isOverfull {
            let right = OrderedNode.splitRight(of: &node)
            node = OrderedNode(
                keys: [node.keys[0], right.keys[0]],
                values: [],
                children: [node, right]
            )
        }
        root = node
    }

    package func contains(_ key: MapKey) -> Bool {
        guard var node = root else { return false }
        while !node.isLeaf { node = node.children[node.childIndex(for: key)] }
        let index = node.lowerBound(key)
        return index < node.keys.count && node.keys[index] == key
    }

    /// Changes a value where it stands; nil where there is none.
    package mutating func modify<Result, Failure: Error>(
        _ key: MapKey,
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard contains(key), var node = take() else { return nil }
        defer { root = node }
        return try OrderedNode.modify(key, in: &node, body)
    }

    package mutating func remove(_ key: MapKey) {
        guard contains(key), var node = take() else { return }
        OrderedNode.remove(key, from: &node)
        count -= 1
        while node.children.count == 1 { node = node.children[0] }
        root = node.keys.isEmpty ? nil : node
    }

    /// The root, held by nobody else unless another map shares it.
    private mutating func take() -> OrderedNode<Value>? {
        defer { root = nil }
        return root
    }
}

/// A node of an ``OrderedMap``: a leaf with values, or an inner node whose keys are at or below
/// the first keys of its children.
// Safe to share: changed only while held once, and then by who holds it.
final class OrderedNode<Value: Sendable>: @unchecked Sendable {
    static var limit: Int { 64 }

    var keys: [MapKey]
    var values: [Value]
    var children: [OrderedNode]

    init(keys: [MapKey], values: [Value], children: [OrderedNode]) {
        self.keys = keys
        self.values = values
        self.children = children
    }

    @inline(__always) var isLeaf: Bool { children.isEmpty }
    @inline(__always) var isOverfull: Bool { keys.count > Self.limit }

    /// The place of the first key that is not below `key`.
    @inline(__always)
    func lowerBound(_ key: MapKey) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The child that holds `key` if any does.
    @inline(__always)
    func childIndex(for key: MapKey) -> Int {
        let index = lowerBound(key)
        return index < keys.count && keys[index] == key ? index : max(0, index - 1)
    }

    static func own(_ node: inout OrderedNode) {
        if isHeldOnce(&node) { return }
        node = OrderedNode(keys: node.keys, values: node.values, children: node.children)
    }

    /// Whether nobody else can reach the node, so that it may be changed in place.
    @inline(__always)
    private static func isHeldOnce(_ node: inout OrderedNode) -> Bool {
        #if THREAD_SANITIZER
        // It does not see that a reader gives its reference back before this sees it gone; so all
        // is copied there.
        return false
        #else
        guard isKnownUniquelyReferenced(&node) else { return false }
        // What a reader read before it gave its reference back must not be read after this.
        atomicMemoryFence(ordering: .acquiring)
        return true
        #endif
    }

    /// Returns whether the key is new.
    static func insert(_ key: MapKey, _ value: Value, into node: inout OrderedNode) -> Bool {
        own(&node)
        if node.isLeaf {
            let index = node.lowerBound(key)
            if index < node.keys.count, node.keys[index] == key {
                node.values[index] = value
                return false
            }
            node.keys.insert(key, at: index)
            node.values.insert(value, at: index)
            return true
        }
        let index = node.childIndex(for: key)
        let isNew = insert(key, value, into: &node.children[index])
        if key < node.keys[index] { node.keys[index] = key }
        if node.children[index].isOverfull {
            let right = splitRight(of: &node.children[index])
            node.keys.insert(right.keys[0], at: index + 1)
            node.children.insert(right, at: index + 1)
        }
        return isNew
    }

    static func modify<Result, Failure: Error>(
        _ key: MapKey,
        in node: inout OrderedNode,
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        own(&node)
        if node.isLeaf { return try body(&node.values[node.lowerBound(key)]) }
        return try modify(key, in: &node.children[node.childIndex(for: key)], body)
    }

    /// Takes the right part of a node that is overfull. Where the map grows at its end, the left
    /// part stays full.
    static func splitRight(of node: inout OrderedNode) -> OrderedNode {
        own(&node)
        let middle = node.keys.count - node.keys.count / 4
        let right = OrderedNode(
            keys: Array(node.keys[middle...]),
            values: node.isLeaf ? Array(node.values[middle...]) : [],
            children: node.isLeaf ? [] : Array(node.children[middle...])
        )
        let count = node.keys.count
        node.keys.removeLast(count - middle)
        if node.isLeaf {
            node.values.removeLast(count - middle)
        } else {
            node.children.removeLast(count - middle)
        }
        return right
    }

    static func remove(_ key: MapKey, from node: inout OrderedNode) {
        own(&node)
        if node.isLeaf {
            let index = node.lowerBound(key)
            guard index < node.keys.count, node.keys[index] == key else { return }
            node.keys.remove(at: index)
            node.values.remove(at: index)
            return
        }
        let index = node.childIndex(for: key)
        remove(key, from: &node.children[index])
        if node.children[index].keys.isEmpty {
            node.children.remove(at: index)
            node.keys.remove(at: index)
        }
    }
}
