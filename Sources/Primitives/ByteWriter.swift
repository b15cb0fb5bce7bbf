/// Builds bytes, little-endian, in an array that grows.
@usableFromInline
package struct ByteWriter: Sendable {
    @usableFromInline package var bytes: [UInt8] = []

    @inlinable
    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    @inlinable package var count: Int { bytes.count }

    @inlinable
    package mutating func append(_ value: UInt8) { bytes.append(value) }

    @inlinable
    package mutating func append<Value: FixedWidthInteger>(fixed value: Value) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Seven bits a byte, lowest first, the high bit set on all but the last.
    @inlinable
    package mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A signed number, small in either direction, as a varint.
    @inlinable
    package mutating func append(zigzag value: Int64) {
        append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// A length and that many bytes.
    @inlinable
    package mutating func append(text: String) {
        append(varint: UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    @inlinable
    package mutating func append(raw: [UInt8]) { bytes.append(contentsOf: raw) }
}
