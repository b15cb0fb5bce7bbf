public import Primitives
public import WriteAheadLog

/// What the cache holds: a node of some map, never changed again.
// Safe to share: set once when made, like all that subclasses add.
@usableFromInline
package class CachedNode: @unchecked Sendable {
    @usableFromInline package let byteCount: Int

    @usableFromInline package init(byteCount: Int) { self.byteCount = byteCount }
}

/// A node of a map in the log: a leaf (level 0) with values, or an inner node with the locations
/// of its children, whose keys are at or below all that the children hold.
///
/// Payload: u8 level; varint number of entries; then each key as the difference to the one before
/// it (varint of the high parts' difference; of the low parts' where that is 0, else the low part
/// itself), each followed by its value or its child's location. Zeros up to eight bytes.
// Safe to share: set once when made.
@usableFromInline
package final class MapNode<Value: MapValue>: CachedNode, @unchecked Sendable {
    @usableFromInline package let level: Int
    @usableFromInline package let keys: [MapKey]
    @usableFromInline package let values: [Value]
    @usableFromInline package let children: [Location]

    @inlinable package static var limit: Int { 256 }
    /// As ``BlockHeader/minimumPayload``.
    @inlinable package static var minimumPayload: Int { 8 }

    @inlinable
    package init(keys: [MapKey], values: [Value]) {
        invariant(keys.count == values.count, "a leaf of \(keys.count) keys")
        level = 0
        self.keys = keys
        self.values = values
        children = []
        super.init(byteCount: keys.count * (16 + MemoryLayout<Value>.stride) + 128)
    }

    @inlinable
    package init(level: Int, keys: [MapKey], children: [Location]) {
        invariant(keys.count == children.count && level > 0, "an inner node at level \(level)")
        self.level = level
        self.keys = keys
        values = []
        self.children = children
        super.init(byteCount: keys.count * 32 + 128)
    }

    /// The place of the last key at or below `key`, or -1.
    @inlinable @inline(__always)
    package func lastIndex(through key: MapKey) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] <= key { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    @inlinable @inline(__always)
    package func childIndex(for key: MapKey) -> Int { max(0, lastIndex(through: key)) }

    @inlinable
    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: keys.count * 24 + 16)
        writer.append(UInt8(level))
        writer.append(varint: UInt64(keys.count))
        var previous = MapKey.first
        for index in keys.indices {
            let key = keys[index]
            writer.append(varint: key.high - previous.high)
            writer.append(varint: key.high == previous.high ? key.low - previous.low : key.low)
            previous = key
            if level == 0 {
                values[index].encode(to: &writer)
            } else {
                children[index].encode(to: &writer)
            }
        }
        while writer.count < MapNode.minimumPayload { writer.append(UInt8(0)) }
        return writer.bytes
    }

    @inlinable
    package convenience init(decoding bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes)
        let level = Int(try reader.byte("node's level"))
        guard level < 16 else { throw Malformed("a node at level \(level)", at: 0) }
        let count = try reader.count("node's entries", ofAtLeast: 2)
        guard count > 0, count <= Self.limit else {
            throw Malformed("a node of \(count) entries", at: 1)
        }
        var keys: [MapKey] = []
        var values: [Value] = []
        var children: [Location] = []
        keys.reserveCapacity(count)
        for _ in 0..<count {
            keys.append(try Self.key(after: keys.last, &reader))
            if level == 0 {
                values.append(try Value(decoding: &reader))
            } else {
                children.append(try Location(decoding: &reader))
            }
        }
        if level == 0 {
            self.init(keys: keys, values: values)
        } else {
            self.init(level: level, keys: keys, children: children)
        }
    }

    @inlinable
    package static func key(
        after last: MapKey?,
        _ reader: inout ByteReader
    ) throws(Malformed) -> MapKey {
        let high = try reader.varint("key")
        let low = try reader.varint("key")
        let previous = last ?? .first
        let (sum, highOverflow) = previous.high.addingReportingOverflow(high)
        let (lowSum, lowOverflow) =
            high == 0 ? previous.low.addingReportingOverflow(low) : (low, false)
        let key = MapKey(sum, lowSum)
        guard !highOverflow, !lowOverflow, last.map({ $0 < key }) ?? true else {
            throw Malformed("keys out of order", at: reader.offset)
        }
        return key
    }
}
