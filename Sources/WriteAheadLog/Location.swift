package import Primitives

/// What points at a block of the log: where it stands, how long it is and what its header's
/// checksum must be. Never a file offset, so a lost or misplaced write is caught when read.
package struct Location: Hashable, Sendable, BitwiseCopyable {
    package let lsn: LSN
    package let length: UInt32
    package let checksum: UInt32

    @inlinable
    package init(lsn: LSN, length: UInt32, checksum: UInt32) {
        self.lsn = lsn
        self.length = length
        self.checksum = checksum
    }

    /// The position just after the block.
    package var end: LSN { lsn + Int(length) }

    /// The block that is nowhere: nothing was ever written.
    package static let none = Location(lsn: .zero, length: 0, checksum: 0)

    package static let encodedSize = 16

    package func encodeFixed(to writer: inout ByteWriter) {
        writer.append(fixed: lsn.rawValue)
        writer.append(fixed: length)
        writer.append(fixed: checksum)
    }

    package init(from reader: inout ByteReader) throws(Malformed) {
        lsn = LSN(rawValue: try reader.fixed("location's position"))
        length = try reader.fixed("location's length")
        checksum = try reader.fixed("location's checksum")
    }
}
