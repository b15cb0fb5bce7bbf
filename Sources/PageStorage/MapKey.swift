public import Primitives

/// What all maps of a store are ordered by. Of a page: its object and number.
@usableFromInline
package struct MapKey: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    @usableFromInline package let high: UInt64
    @usableFromInline package let low: UInt64

    @inlinable
    package init(_ high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable
    package init(_ object: ObjectID, _ page: PageNumber) {
        self.init(object.rawValue, page.rawValue)
    }

    @inlinable @inline(__always)
    package static func < (left: MapKey, right: MapKey) -> Bool {
        left.number < right.number
    }

    /// As one number, which compares without a branch.
    @inlinable @inline(__always) var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

    @inlinable package static var first: MapKey { MapKey(0, 0) }
    @inlinable package static var last: MapKey { MapKey(.max, .max) }

    /// The key after this one, which is not the last.
    @usableFromInline package var successor: MapKey {
        low < .max ? MapKey(high, low + 1) : MapKey(high + 1, 0)
    }

    @usableFromInline package var description: String { "(\(high), \(low))" }
}

/// Keys from `lower` up to, not including, `upper`.
@usableFromInline
package struct KeyRange: Hashable, Sendable {
    @usableFromInline package let lower: MapKey
    @usableFromInline package let upper: MapKey

    @inlinable
    package init(_ lower: MapKey, _ upper: MapKey) {
        self.lower = lower
        self.upper = upper
    }

    @inlinable
    package func contains(_ key: MapKey) -> Bool { lower <= key && key < upper }
}
