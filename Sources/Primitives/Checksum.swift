import CXXHash

/// XXH3, 64 bits, over bytes in memory.
package enum Checksum {
    package static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        unsafe XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
    }

    package static func of(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe of($0, seed: seed) }
    }

    /// One step of a checksum over a list of checksums.
    package static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var pair = (left.littleEndian, right.littleEndian)
        return unsafe withUnsafeBytes(of: &pair) { unsafe of($0) }
    }
}
