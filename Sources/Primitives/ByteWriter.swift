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
        if value < 0x80 { return bytes.append(UInt8(value)) }
        var rest = value
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 10) { buffer in
            var count = 0
            while rest >= 0x80 {
                unsafe buffer[count] = UInt8(truncatingIfNeeded: rest) | 0x80
                rest >>= 7
                count += 1
            }
            unsafe buffer[count] = UInt8(rest)
            unsafe bytes.append(contentsOf: buffer[...count])
        }
    }

    /// A signed number, small in either direction, as a varint.
    @inlinable
    package mutating func append(zigzag value: Int64) {
        append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// A length and that many bytes.
    @inlinable
    package mutating func append(text: String) {
        var text = text
        text.withUTF8 { utf8 in
            append(varint: UInt64(utf8.count))
            unsafe bytes.append(contentsOf: utf8)
        }
    }

    @inlinable
    package mutating func append(raw: [UInt8]) { bytes.append(contentsOf: raw) }
}
