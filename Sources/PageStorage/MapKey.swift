package import Primitives

/// What all maps of a store are ordered by. Of a page: its object and number.
package struct MapKey: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    @inlinable
    package init(_ high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable
    package init(_ object: ObjectID, _ page: PageNumber) {
        self.init(object.rawValue, page.rawValue)
    }

    @inlinable
    package static func < (left: MapKey, right: MapKey) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    package static let first = MapKey(0, 0)
    package static let last = MapKey(.max, .max)

    package var description: String { "(\(high), \(low))" }
}

/// Keys from `lower` up to, not including, `upper`.
package struct KeyRange: Hashable, Sendable {
    package let lower: MapKey
    package let upper: MapKey

    package init(_ lower: MapKey, _ upper: MapKey) {
        self.lower = lower
        self.upper = upper
    }

    package func contains(_ key: MapKey) -> Bool { lower <= key && key < upper }
}
