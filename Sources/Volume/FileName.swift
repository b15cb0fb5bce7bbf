import Primitives

/// A name in a folder: from 1 to 255 bytes, whatever they mean, without `/` and NUL, and neither
/// `.` nor `..`.
public struct FileName: Hashable, Sendable, CustomStringConvertible {
    /// The name's bytes.
    public let bytes: [UInt8]

    /// Takes a name's bytes.
    public init(_ bytes: [UInt8]) throws(VolumeError) {
        let isReserved = bytes == [UInt8(ascii: ".")] || bytes == Array("..".utf8)
        guard !bytes.isEmpty, !isReserved, !bytes.contains(UInt8(ascii: "/")), !bytes.contains(0)
        else {
            throw VolumeError(.invalid, "\"\(String(decoding: bytes, as: UTF8.self))\" is no name")
        }
        guard bytes.count <= VolumeLimits.nameBytes else {
            throw VolumeError(
                .nameTooLong,
                "a name of \(bytes.count) bytes: the longest has \(VolumeLimits.nameBytes)"
            )
        }
        self.bytes = bytes
    }

    /// Takes a name as text.
    public init(_ text: String) throws(VolumeError) { try self.init(Array(text.utf8)) }

    /// The name as text, as far as it is text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// Where a folder keeps the entry: 52 bits, so that a place and one of its slots fit into a
    /// cursor.
    func page(seed: UInt64) -> PageNumber {
        PageNumber(Checksum.of(bytes, seed: seed) >> (64 - Self.placeBits))
    }

    /// Bits of a place in a folder.
    static let placeBits: UInt64 = 52
}
