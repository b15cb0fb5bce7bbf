public import PageStorage
public import Primitives
public import WriteAheadLog

/// A map of the catalog: what the last checkpoint wrote, and what changed since in two layers, so
/// that a checkpoint can write down the older one while the newer grows. A value.
@usableFromInline
package struct LayeredMap<Value: MapValue>: Sendable {
    @usableFromInline package var root: Location
    /// Nil for a key that was removed.
    @usableFromInline package var older = OrderedMap<Value?>()
    @usableFromInline package var newer = OrderedMap<Value?>()

    @inlinable
    package init(root: Location = .none) { self.root = root }

    @inlinable package var changeCount: Int { older.count + newer.count }

    @inlinable
    package func get(_ key: MapKey, _ nodes: NodeSource) throws(LogError) -> Value? {
        if let changed = newer[key] { return changed }
        if let changed = older[key] { return changed }
        return try MapReader<Value>(nodes, root: root)[key]
    }

    /// Lets the body look at what a key holds, mostly where it stands; nil where it holds nothing.
    @inlinable
    package func lend<Result>(
        _ key: MapKey,
        _ nodes: NodeSource,
        _ body: (Value) -> Result
    ) throws(LogError) -> Result? {
        if let found = newer.lend(key, { slot in Self.look(slot, body) }) { return found }
        if let found = older.lend(key, { slot in Self.look(slot, body) }) { return found }
        return try MapReader<Value>(nodes, root: root)[key].map(body)
    }

    @inlinable
    package mutating func set(_ key: MapKey, _ value: consuming Value) {
        newer.set(key, value)
    }

    @inlinable
    package mutating func remove(_ key: MapKey) { newer.set(key, nil) }

    /// Brings what a key holds, or that it holds nothing, into the newer layer, so that from then
    /// on it can be looked up and changed without I/O. Returns whether it holds anything.
    @inlinable
    @discardableResult
    package mutating func promote(_ key: MapKey, _ nodes: NodeSource) throws(LogError) -> Bool {
        try promote(key, nodes) { _ in true } ?? false
    }

    /// As ``promote(_:_:)``; the body looks at what the key holds, if it holds anything.
    @inlinable
    package mutating func promote<Result>(
        _ key: MapKey,
        _ nodes: NodeSource,
        _ body: (Value) -> Result
    ) throws(LogError) -> Result? {
        if let held = newer.lend(key, { slot in Self.look(slot, body) }) { return held }
        let value: Value?
        if let changed = older[key] {
            value = changed
        } else {
            value = try MapReader<Value>(nodes, root: root)[key]
        }
        newer.set(key, value)
        return Self.look(value, body)
    }

    /// What a promoted key holds.
    @inlinable
    package func promoted(_ key: MapKey) -> Value? { lendPromoted(key) { $0 } }

    /// Lets the body look at what a promoted key holds; nil where it holds nothing.
    @inlinable
    package func lendPromoted<Result>(_ key: MapKey, _ body: (Value) -> Result) -> Result? {
        let found = newer.lend(key) { slot in Self.look(slot, body) }
        invariant(found != nil, "key \(key) was not promoted")
        return found ?? nil
    }

    /// As `map`, without a copy.
    @inlinable @inline(__always)
    static func look<Result>(_ slot: Value?, _ body: (Value) -> Result) -> Result? {
        switch slot {
        case .some(let value): body(value)
        case .none: nil
        }
    }

    /// Changes what a promoted key holds, where it stands; nil where it holds nothing.
    @inlinable
    package mutating func modify<Result, Failure: Error>(
        _ key: MapKey,
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        try modifySlot(key) { slot throws(Failure) in try slot?.changed(by: body) }
    }

    /// Changes a promoted key where it stands: what it holds, or that it holds nothing.
    @inlinable
    package mutating func modifySlot<Result, Failure: Error>(
        _ key: MapKey,
        _ body: (inout Value?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result = try newer.modify(key, body)
        guard let result else { preconditionFailure("key \(key) was not promoted") }
        return result
    }

    /// Puts what changed so far aside for a checkpoint.
    @inlinable
    package mutating func freeze() {
        older = newer
        newer = OrderedMap()
    }

    /// Undoes ``freeze()``: what was put aside is current again, and what changed since is on top.
    @inlinable
    package mutating func thaw() {
        let later = newer
        newer = older
        older = OrderedMap()
        later.visit { key, value in
            newer.set(key, value)
            return true
        }
    }

    /// Takes the map that a checkpoint made of what was put aside.
    @inlinable
    package mutating func install(_ root: Location) {
        self.root = root
        older = OrderedMap()
    }

    /// The first entry at or above `key`.
    @inlinable
    package func first(
        from key: MapKey,
        _ nodes: NodeSource
    ) throws(LogError) -> (key: MapKey, value: Value)? {
        var key = key
        while true {
            let inTree = try MapReader<Value>(nodes, root: root).first(from: key)
            let nextKey = [newer.first(from: key)?.key, older.first(from: key)?.key, inTree?.key]
                .compactMap { $0 }.min()
            guard let nextKey else { return nil }
            if let value = value(nextKey, inTree) { return (nextKey, value) }
            guard nextKey < .last else { return nil }
            key = nextKey.successor
        }
    }

    /// The last entry at or below `key`.
    @inlinable
    package func last(
        through key: MapKey,
        _ nodes: NodeSource
    ) throws(LogError) -> (key: MapKey, value: Value)? {
        try last(nodes) { $0 <= key }
    }

    /// The last entry whose key fits, where all that fit stand before all that don't.
    @inlinable
    package func last(
        _ nodes: NodeSource,
        where fits: (MapKey) -> Bool
    ) throws(LogError) -> (key: MapKey, value: Value)? {
        var bound: MapKey?
        while true {
            let limit = bound
            let isCandidate = { (key: MapKey) in fits(key) && limit.map { key < $0 } ?? true }
            let inTree = try MapReader<Value>(nodes, root: root).last(where: isCandidate)
            let nextKey = [
                newer.last(where: isCandidate)?.key, older.last(where: isCandidate)?.key,
                inTree?.key,
            ].compactMap { $0 }.max()
            guard let nextKey else { return nil }
            if let value = value(nextKey, inTree) { return (nextKey, value) }
            bound = nextKey
        }
    }

    @inlinable
    package func value(_ key: MapKey, _ inTree: (key: MapKey, value: Value)?) -> Value? {
        if let changed = newer[key] { return changed }
        if let changed = older[key] { return changed }
        return inTree?.key == key ? inTree?.value : nil
    }

    /// Visits entries in order, from the first at or above `lower`, until the body returns false.
    @inlinable
    package func visit(
        from lower: MapKey = .first,
        _ nodes: NodeSource,
        _ body: (MapKey, Value) throws(LogError) -> Bool
    ) throws(LogError) {
        var next: MapKey? = lower
        while let from = next, let entry = try first(from: from, nodes) {
            if try !body(entry.key, entry.value) { return }
            next = entry.key < .last ? entry.key.successor : nil
        }
    }
}

extension MapValue {
    /// So that what an optional holds is changed where it stands.
    @inlinable
    package mutating func changed<Result, Failure: Error>(
        by body: (inout Self) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(&self) }
}
