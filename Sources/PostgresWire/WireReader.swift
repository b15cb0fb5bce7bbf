/// Takes values off the front of a message's body, which may be any bytes. What it says of bad ones
/// is what PostgreSQL says.
@usableFromInline
package struct WireReader: ~Escapable {
    @usableFromInline package let bytes: RawSpan
    @usableFromInline package var offset = 0

    @inlinable
    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { self.bytes = bytes }

    @inlinable
    @_lifetime(borrow bytes)
    package init(_ bytes: borrowing [UInt8]) {
        // Safe: every bit pattern is a byte.
        self.bytes = unsafe bytes.span.bytes
    }

    @inlinable package var remaining: Int { bytes.byteCount - offset }

    /// A number, most significant byte first.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        as type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw .insufficientData() }
        // Safe: the range was checked just above.
        let value = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset,
            as: Value.self
        )
        offset += size
        return Value(bigEndian: value)
    }

    /// A count of two bytes of things that take at least `size` bytes each, so that no bad count
    /// makes the caller allocate more than it was given.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func count(ofAtLeast size: Int) throws(WireError) -> Int {
        let count = Int(try integer(as: UInt16.self))
        guard count <= remaining / size else { throw .insufficientData() }
        return count
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func take(_ count: Int) throws(WireError) -> [UInt8] {
        guard count >= 0, count <= remaining else { throw .insufficientData() }
        // Safe: the range was checked just above.
        let slice = unsafe bytes.extracting(unchecked: offset..<offset + count)
        offset += count
        return unsafe slice.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func rest() throws(WireError) -> [UInt8] { try take(remaining) }

    /// A value with its length before it, where the length -1 stands for null.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func value() throws(WireError) -> [UInt8]? {
        let count = try integer(as: Int32.self)
        return count == -1 ? nil : try take(Int(count))
    }

    /// A text with its zero byte.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func string() throws(WireError) -> WireString {
        var end = offset
        // Safe: the index stays below the count.
        while end < bytes.byteCount,
            unsafe bytes.unsafeLoad(fromUncheckedByteOffset: end, as: UInt8.self) != 0
        {
            end += 1
        }
        guard end < bytes.byteCount else { throw .invalidString() }
        let text = WireString(try take(end - offset))
        offset += 1
        return text
    }

    @inlinable
    package func end() throws(WireError) {
        guard remaining == 0 else { throw .invalidFormat() }
    }
}
