public import Synchronization

/// What stands before a node's keys.
@usableFromInline
package struct OrderedHead: BitwiseCopyable, Sendable {
    @usableFromInline var count: Int
    @usableFromInline let capacity: Int
    @usableFromInline let isLeaf: Bool

    @usableFromInline
    init(capacity: Int, isLeaf: Bool) {
        count = 0
        self.capacity = capacity
        self.isLeaf = isLeaf
    }
}

/// A node of an ``OrderedMap``: a leaf with values, or an inner node whose keys are at or below
/// the first keys of its children.
///
/// One piece of memory: the head, the keys, then the values or the children. Looking something up
/// holds none of the nodes on the way (as arrays would be), since whoever looks holds the root.
@usableFromInline
package final class OrderedNode<Value: Sendable>: ManagedBuffer<OrderedHead, MapKey> {
    @inlinable package static var limit: Int { 64 }
    /// Maps of one entry are many: one for each branch that wrote a page.
    @inlinable static var smallest: Int { 2 }

    @inlinable
    static func make(isLeaf: Bool, capacity: Int) -> OrderedNode {
        let slot = MemoryLayout<MapKey>.stride
        let size = isLeaf ? MemoryLayout<Value>.stride : MemoryLayout<OrderedNode>.stride
        precondition(MemoryLayout<Value>.alignment <= MemoryLayout<MapKey>.alignment)
        let node = OrderedNode.create(
            minimumCapacity: capacity + (capacity * size + slot - 1) / slot
        ) { _ in OrderedHead(capacity: capacity, isLeaf: isLeaf) }
        return unsafe unsafeDowncast(node, to: OrderedNode.self)
    }

    @inlinable
    deinit {
        if isLeaf {
            unsafe values.deinitialize(count: count)
        } else {
            unsafe children.deinitialize(count: count)
        }
    }

    @inlinable @inline(__always) var head: UnsafeMutablePointer<OrderedHead> {
        unsafe withUnsafeMutablePointerToHeader { unsafe $0 }
    }
    @inlinable @inline(__always) var keys: UnsafeMutablePointer<MapKey> {
        unsafe withUnsafeMutablePointerToElements { unsafe $0 }
    }
    @inlinable @inline(__always) var rest: UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(keys + head.pointee.capacity)
    }
    @inlinable @inline(__always) var values: UnsafeMutablePointer<Value> {
        unsafe rest.assumingMemoryBound(to: Value.self)
    }
    @inlinable @inline(__always) var children: UnsafeMutablePointer<OrderedNode> {
        unsafe rest.assumingMemoryBound(to: OrderedNode.self)
    }

    @inlinable @inline(__always) var isLeaf: Bool { unsafe head.pointee.isLeaf }
    @inlinable @inline(__always) var count: Int { unsafe head.pointee.count }
    @inlinable @inline(__always) var isOverfull: Bool { count > Self.limit }

    @inlinable @inline(__always)
    func key(_ index: Int) -> MapKey {
        precondition(index >= 0 && index < count)
        return unsafe keys[index]
    }

    @inlinable @inline(__always)
    func value(_ index: Int) -> Value {
        precondition(isLeaf && index >= 0 && index < count)
        return unsafe values[index]
    }

    @inlinable @inline(__always)
    func child(_ index: Int) -> OrderedNode {
        precondition(!isLeaf && index >= 0 && index < count)
        return unsafe children[index]
    }

    /// The place of the first key that is not below `key`.
    @inlinable @inline(__always)
    func lowerBound(_ key: MapKey) -> Int {
        var low = 0
        var length = count
        // Without branches that depend on the keys: they would be guessed wrong every other time.
        while length > 1 {
            let half = length / 2
            low &+= unsafe keys[low &+ half &- 1] < key ? half : 0
            length &-= half
        }
        return unsafe length == 1 && keys[low] < key ? low &+ 1 : low
    }

    /// Where a leaf has `key`, if it does.
    @inlinable @inline(__always)
    func index(of key: MapKey) -> Int? {
        let index = lowerBound(key)
        return unsafe index < count && keys[index] == key ? index : nil
    }

    /// The child that holds `key` if any does.
    @inlinable @inline(__always)
    func childIndex(for key: MapKey) -> Int {
        let index = lowerBound(key)
        return unsafe index < count && keys[index] == key ? index : max(0, index - 1)
    }

    /// The leaf that holds `key` if any does. It is there for as long as this node is held.
    @inlinable @inline(__always)
    func leaf(for key: MapKey) -> Unmanaged<OrderedNode> {
        var node = unsafe Unmanaged.passUnretained(self)
        while let next = unsafe node._withUnsafeGuaranteedRef({ node in
            node.isLeaf ? nil : unsafe node.unheldChild(node.childIndex(for: key))
        }) { unsafe node = next }
        return unsafe node
    }

    /// Where the value of `key` stands in this node or below, if it is there.
    @inlinable @inline(__always)
    func place(of key: MapKey) -> UnsafeMutablePointer<Value>? {
        unsafe leaf(for: key)._withUnsafeGuaranteedRef { leaf in
            guard let index = leaf.index(of: key) else { return nil }
            return unsafe leaf.values + index
        }
    }

    @inlinable @inline(__always)
    func unheldChild(_ index: Int) -> Unmanaged<OrderedNode> {
        precondition(!isLeaf && index >= 0 && index < count)
        return unsafe rest.load(
            fromByteOffset: index * MemoryLayout<Unmanaged<OrderedNode>>.stride,
            as: Unmanaged<OrderedNode>.self
        )
    }
}

// Changes. All but the first are made to a node that is held once.
extension OrderedNode {
    @inlinable
    static func own(_ node: inout OrderedNode) {
        if isHeldOnce(&node) { return }
        node = node.copy()
    }

    /// Whether nobody else can reach the node, so that it may be changed in place.
    @inlinable @inline(__always)
    static func isHeldOnce(_ node: inout OrderedNode) -> Bool {
        guard isKnownUniquelyReferenced(&node) else { return false }
        // What a reader read before it gave its reference back must not be read after this.
        atomicMemoryFence(ordering: .acquiring)
        #if THREAD_SANITIZER
        // It does not see that a reader gives its reference back before this sees it gone; so all
        // is copied there.
        return false
        #else
        return true
        #endif
    }

    @inlinable
    func copy() -> OrderedNode {
        let other = Self.make(isLeaf: isLeaf, capacity: unsafe head.pointee.capacity)
        unsafe other.keys.initialize(from: keys, count: count)
        if isLeaf {
            unsafe other.values.initialize(from: values, count: count)
        } else {
            unsafe other.children.initialize(from: children, count: count)
        }
        unsafe other.head.pointee.count = count
        return other
    }

    /// Moves what stands from an index on to another node, which is empty.
    @inlinable
    func move(from index: Int, to other: OrderedNode) {
        let moved = count - index
        precondition(index >= 0 && moved >= 0 && other.count == 0 && other.isLeaf == isLeaf)
        precondition(unsafe moved <= other.head.pointee.capacity)
        unsafe other.keys.moveInitialize(from: keys + index, count: moved)
        if isLeaf {
            unsafe other.values.moveInitialize(from: values + index, count: moved)
        } else {
            unsafe other.children.moveInitialize(from: children + index, count: moved)
        }
        unsafe other.head.pointee.count = moved
        unsafe head.pointee.count = index
    }

    /// Makes room for one more.
    @inlinable
    static func grow(_ node: inout OrderedNode) {
        let capacity = unsafe node.head.pointee.capacity
        guard node.count == capacity else { return }
        precondition(capacity <= limit)
        let larger = make(isLeaf: node.isLeaf, capacity: min(capacity * 4, limit + 1))
        node.move(from: 0, to: larger)
        node = larger
    }

    @inlinable
    static func add(
        _ key: MapKey,
        _ value: consuming Value,
        to leaf: inout OrderedNode,
        at index: Int
    ) {
        grow(&leaf)
        let rest = leaf.openGap(for: key, at: index)
        unsafe (leaf.values + index + 1).moveInitialize(from: leaf.values + index, count: rest)
        unsafe (leaf.values + index).initialize(to: value)
    }

    @inlinable
    static func add(_ child: OrderedNode, to node: inout OrderedNode, at index: Int) {
        grow(&node)
        let rest = node.openGap(for: child.key(0), at: index)
        unsafe (node.children + index + 1).moveInitialize(from: node.children + index, count: rest)
        unsafe (node.children + index).initialize(to: child)
    }

    @inlinable
    func openGap(for key: MapKey, at index: Int) -> Int {
        let rest = count - index
        precondition(index >= 0 && rest >= 0)
        unsafe (keys + index + 1).update(from: keys + index, count: rest)
        unsafe keys[index] = key
        unsafe head.pointee.count += 1
        return rest
    }

    @inlinable
    func remove(at index: Int) {
        let rest = count - index - 1
        precondition(index >= 0 && rest >= 0)
        unsafe (keys + index).update(from: keys + index + 1, count: rest)
        if isLeaf {
            unsafe (values + index).deinitialize(count: 1)
            unsafe (values + index).moveInitialize(from: values + index + 1, count: rest)
        } else {
            unsafe (children + index).deinitialize(count: 1)
            unsafe (children + index).moveInitialize(from: children + index + 1, count: rest)
        }
        unsafe head.pointee.count -= 1
    }

    /// Returns whether the key is new.
    @inlinable
    static func insert(
        _ key: MapKey,
        _ value: consuming Value,
        into node: inout OrderedNode
    ) -> Bool {
        own(&node)
        if node.isLeaf {
            let index = node.lowerBound(key)
            if index < node.count, node.key(index) == key {
                unsafe node.values[index] = value
                return false
            }
            add(key, value, to: &node, at: index)
            return true
        }
        let index = node.childIndex(for: key)
        let isNew = unsafe insert(key, value, into: &node.children[index])
        if key < node.key(index) { unsafe node.keys[index] = key }
        if unsafe node.children[index].isOverfull {
            let right = unsafe splitRight(of: &node.children[index])
            add(right, to: &node, at: index + 1)
        }
        return isNew
    }

    /// Nil where the key is not there.
    @inlinable
    static func modify<Result, Failure: Error>(
        _ key: MapKey,
        in node: inout OrderedNode,
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        own(&node)
        if node.isLeaf {
            guard let index = node.index(of: key) else { return nil }
            return try unsafe body(&node.values[index])
        }
        return try unsafe modify(key, in: &node.children[node.childIndex(for: key)], body)
    }

    /// Takes the right part of a node that is overfull. Where the map grows at its end, the left
    /// part stays full.
    @inlinable
    static func splitRight(of node: inout OrderedNode) -> OrderedNode {
        own(&node)
        let middle = node.count - node.count / 4
        let right = make(isLeaf: node.isLeaf, capacity: limit + 1)
        node.move(from: middle, to: right)
        return right
    }

    @inlinable
    static func remove(_ key: MapKey, from node: inout OrderedNode) {
        own(&node)
        if node.isLeaf {
            if let index = node.index(of: key) { node.remove(at: index) }
            return
        }
        let index = node.childIndex(for: key)
        unsafe remove(key, from: &node.children[index])
        if unsafe node.children[index].count == 0 { node.remove(at: index) }
    }
}
