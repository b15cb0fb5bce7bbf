public import Primitives

/// What points at a block of the log: where it stands, how long it is and what its header's
/// checksum must be. Never a file offset, so a lost or misplaced write is caught when read.
@usableFromInline
package struct Location: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline package let lsn: LSN
    @usableFromInline package let length: UInt32
    @usableFromInline package let checksum: UInt32

    @inlinable
    package init(lsn: LSN, length: UInt32, checksum: UInt32) {
        self.lsn = lsn
        self.length = length
        self.checksum = checksum
    }

    /// The position just after the block.
    @inlinable package var end: LSN { lsn + Int(length) }

    /// The block that is nowhere: nothing was ever written.
    @inlinable package static var none: Location {
        Location(lsn: .zero, length: 0, checksum: 0)
    }

    @usableFromInline package static let encodedSize = 16

    @inlinable
    package func encodeFixed(to writer: inout ByteWriter) {
        writer.append(fixed: lsn.rawValue)
        writer.append(fixed: length)
        writer.append(fixed: checksum)
    }

    @inlinable
    package init(from reader: inout ByteReader) throws(Malformed) {
        lsn = LSN(rawValue: try reader.fixed("location's position"))
        length = try reader.fixed("location's length")
        checksum = try reader.fixed("location's checksum")
    }
}
