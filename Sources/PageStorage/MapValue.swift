package import Primitives
package import WriteAheadLog

/// What a map of the log holds for a key.
package protocol MapValue: Sendable {
    /// Tells the nodes of one map from another's.
    static var kind: UInt64 { get }
    /// Whether every value takes few bytes, so that nodes are cut by number alone.
    static var isSmall: Bool { get }
    func encode(to writer: inout ByteWriter)
    init(decoding reader: inout ByteReader) throws(Malformed)
}

extension MapValue {
    package static var isSmall: Bool { false }

    var encodedSize: Int {
        var writer = ByteWriter()
        encode(to: &writer)
        return writer.count
    }
}

/// The map from pages to where their newest version stands.
extension Location: MapValue {
    package static var kind: UInt64 { 1 }
    package static var isSmall: Bool { true }

    package init(decoding reader: inout ByteReader) throws(Malformed) {
        let lsn = try reader.varint("location's position")
        let length = try reader.varint("location's length")
        guard length <= UInt64(UInt32.max) else {
            throw Malformed("location's length", at: reader.offset)
        }
        self.init(
            lsn: LSN(rawValue: lsn),
            length: UInt32(length),
            checksum: try reader.fixed("location's checksum")
        )
    }

    /// Shorter than the fixed form.
    package func encode(to writer: inout ByteWriter) {
        writer.append(varint: lsn.rawValue)
        writer.append(varint: UInt64(length))
        writer.append(fixed: checksum)
    }
}
