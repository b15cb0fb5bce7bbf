/// A map in memory, ordered, with the semantics of a value: copying it copies one reference, and
/// writing copies the path to what is written, unless nobody else holds it.
///
/// Laws: keys grow from left to right; all leaves are equally deep; a node other than the root has
/// at least one entry; a node is changed only where it, and every node above it, is held once.
// Safe to share: a node is changed only while held once, and then by who holds it.
@usableFromInline
package struct OrderedMap<Value: Sendable>: @unchecked Sendable {
    @usableFromInline package var root: OrderedNode<Value>?
    @usableFromInline package var count = 0

    @inlinable
    package init() {}

    @inlinable package var isEmpty: Bool { root == nil }

    /// Equal for two maps that share all; nil for an empty one.
    @inlinable package var identity: ObjectIdentifier? { root.map(ObjectIdentifier.init) }

    @inlinable
    package subscript(key: MapKey) -> Value? { lend(key) { $0 } }

    @inlinable
    package func contains(_ key: MapKey) -> Bool { lend(key) { _ in true } ?? false }

    /// Lets the body look at a value where it stands; nil where there is none.
    @inlinable @inline(__always)
    package func lend<Result, Failure: Error>(
        _ key: MapKey,
        _ body: (Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let root = unsafe root.map(Unmanaged.passUnretained) else { return nil }
        // Whose root it is.
        defer { withExtendedLifetime(self) {} }
        let place = unsafe root._withUnsafeGuaranteedRef { unsafe $0.place(of: key) }
        guard let place = unsafe place else { return nil }
        return try unsafe body(place.pointee)
    }

    @inlinable
    package mutating func set(_ key: MapKey, _ value: consuming Value) {
        var node = take() ?? .make(isLeaf: true, capacity: OrderedNode<Value>.smallest)
        if OrderedNode.insert(key, value, into: &node) { count += 1 }
        if node.isOverfull {
            let right = OrderedNode.splitRight(of: &node)
            var parent = OrderedNode<Value>.make(
                isLeaf: false,
                capacity: OrderedNode<Value>.limit + 1
            )
            OrderedNode.add(node, to: &parent, at: 0)
            OrderedNode.add(right, to: &parent, at: 1)
            node = parent
        }
        root = node
    }

    /// Changes a value where it stands; nil where there is none.
    @inlinable
    package mutating func modify<Result, Failure: Error>(
        _ key: MapKey,
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard var node = take() else { return nil }
        defer { root = node }
        return try OrderedNode.modify(key, in: &node, body)
    }

    @inlinable
    package mutating func remove(_ key: MapKey) {
        guard contains(key), var node = take() else { return }
        OrderedNode.remove(key, from: &node)
        count -= 1
        while !node.isLeaf, node.count == 1 { node = node.child(0) }
        root = node.count == 0 ? nil : node
    }

    /// The root, held by nobody else unless another map shares it.
    @inlinable
    package mutating func take() -> OrderedNode<Value>? {
        defer { root = nil }
        return root
    }
}
