package import Primitives

/// What a block holds.
package enum BlockKind: UInt8, Sendable {
    /// One version of a page.
    case page = 1
    /// A page that was deleted. No payload.
    case pageDeletion = 2
    /// A range of pages of one object that was deleted; the payload is its upper bound.
    case rangeDeletion = 3
    /// A node of a map.
    case node = 4

    /// Whether anything points at such a block. Deletions only take effect where they stand; they
    /// are also shorter, and can begin within the same 64 bytes as what follows them.
    package var canBeLive: Bool { self == .page || self == .node }
}

/// The head of a block: what describes itself, so that it can be copied alone.
///
/// Layout, little-endian, 56 bytes; the payload follows at once:
///
///     0  u32 length of header and payload       24 u64 object (of a node: which map)
///     4  u8  kind   5 u8 encoding   6 u16 zero  32 u64 page (of a node: its level)
///     8  u64 LSN                                40 u64 XXH3 of the payload
///     16 u64 timeline                           48 u64 XXH3 of bytes 0 to 48, seeded by the store
///
/// The payload stands in the header's checksum by its own, so that a page can be compressed and
/// summed outside the critical section, before its LSN is known.
package struct BlockHeader: Sendable {
    package static let size = 56
    /// Pages and nodes have a payload of at least this, so no two of them begin within 64 bytes.
    package static let minimumPayload = 8

    package var length: UInt32
    package var kind: BlockKind
    package var encoding: PageEncoding
    package var lsn: LSN
    package var timeline: TimelineID
    package var object: UInt64
    package var page: UInt64
    package var payloadChecksum: UInt64

    package init(
        kind: BlockKind,
        encoding: PageEncoding,
        payloadLength: Int,
        object: UInt64,
        page: UInt64,
        payloadChecksum: UInt64
    ) {
        length = UInt32(Self.size + payloadLength)
        self.kind = kind
        self.encoding = encoding
        lsn = .zero
        timeline = .none
        self.object = object
        self.page = page
        self.payloadChecksum = payloadChecksum
    }

    package var payloadLength: Int { Int(length) - Self.size }

    /// Writes the header and returns its checksum.
    package func store(to target: UnsafeMutableRawPointer, seed: UInt64) -> UInt64 {
        unsafe target.storeBytes(of: length.littleEndian, as: UInt32.self)
        unsafe target.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
        unsafe target.storeBytes(of: encoding.rawValue, toByteOffset: 5, as: UInt8.self)
        unsafe target.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        unsafe target.storeBytes(of: lsn.rawValue.littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe target.storeBytes(
            of: timeline.rawValue.littleEndian,
            toByteOffset: 16,
            as: UInt64.self
        )
        unsafe target.storeBytes(of: object.littleEndian, toByteOffset: 24, as: UInt64.self)
        unsafe target.storeBytes(of: page.littleEndian, toByteOffset: 32, as: UInt64.self)
        unsafe target.storeBytes(
            of: payloadChecksum.littleEndian,
            toByteOffset: 40,
            as: UInt64.self
        )
        let checksum = unsafe Checksum.of(
            UnsafeRawBufferPointer(start: target, count: 48),
            seed: seed
        )
        unsafe target.storeBytes(of: checksum.littleEndian, toByteOffset: 48, as: UInt64.self)
        return checksum
    }

    /// The header of the block that these bytes begin with, if there is a whole and sound one,
    /// and its checksum. The payload is not looked at.
    package static func load(
        _ bytes: UnsafeRawBufferPointer,
        seed: UInt64
    ) -> (header: BlockHeader, checksum: UInt64)? {
        guard bytes.count >= size else { return nil }
        let checksum = unsafe UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 48, as: UInt64.self)
        )
        let sum = unsafe Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<48]), seed: seed)
        guard checksum == sum else { return nil }
        func word(_ offset: Int) -> UInt64 {
            unsafe UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            )
        }
        let length = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard length >= UInt32(size), let kind = unsafe BlockKind(rawValue: bytes[4]),
            let encoding = unsafe PageEncoding(rawValue: bytes[5]), unsafe bytes[6] == 0,
            unsafe bytes[7] == 0
        else { return nil }
        var header = BlockHeader(
            kind: kind,
            encoding: encoding,
            payloadLength: Int(length) - size,
            object: word(24),
            page: word(32),
            payloadChecksum: word(40)
        )
        header.lsn = LSN(rawValue: word(8))
        header.timeline = TimelineID(rawValue: word(16))
        return (header, checksum)
    }
}
