/// What a decoder says of bytes that nobody who kept to the format wrote.
@usableFromInline
package struct Malformed: Error, Equatable, Sendable {
    @usableFromInline package let what: String
    @usableFromInline package let offset: Int

    @usableFromInline package init(_ what: String, at offset: Int) {
        self.what = what
        self.offset = offset
    }
}

/// Takes little-endian values off the front of bytes that may be anything.
@usableFromInline
package struct ByteReader: ~Escapable {
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

    @inlinable
    @_lifetime(self: copy self)
    package mutating func byte(_ what: StaticString) throws(Malformed) -> UInt8 {
        try fixed(what)
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func fixed<Value: FixedWidthInteger & BitwiseCopyable>(
        _ what: StaticString,
        as type: Value.Type = Value.self
    ) throws(Malformed) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw Malformed("\(what) cut short", at: offset) }
        // Safe: the range was checked just above.
        let value = unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: offset,
            as: Value.self
        )
        offset += size
        return Value(littleEndian: value)
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func varint(_ what: StaticString) throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte(what)
            guard shift < 63 || next <= 1 else { throw Malformed("\(what) too large", at: offset) }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func zigzag(_ what: StaticString) throws(Malformed) -> Int64 {
        let value = try varint(what)
        return Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1)))
    }

    /// A count of things that take at least `size` bytes each, so that no bad count makes the
    /// caller allocate more than it was given.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func count(
        _ what: StaticString,
        ofAtLeast size: Int = 1
    ) throws(Malformed) -> Int {
        let value = try varint(what)
        guard value <= UInt64(remaining / size) else {
            throw Malformed("\(what) of \(value) does not fit", at: offset)
        }
        return Int(value)
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func text(_ what: StaticString) throws(Malformed) -> String {
        let length = try count(what)
        let raw = try raw(length, what)
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw Malformed("\(what) is not UTF-8", at: offset)
        }
        return text
    }

    @inlinable
    @_lifetime(self: copy self)
    package mutating func raw(_ length: Int, _ what: StaticString) throws(Malformed) -> [UInt8] {
        guard length >= 0, remaining >= length else {
            throw Malformed("\(what) cut short", at: offset)
        }
        // Safe: the range was checked just above.
        let slice = unsafe bytes.extracting(unchecked: offset..<offset + length)
        offset += length
        return unsafe slice.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    @inlinable
    package func end(_ what: StaticString) throws(Malformed) {
        guard remaining == 0 else {
            throw Malformed("\(remaining) bytes after \(what)", at: offset)
        }
    }
}
