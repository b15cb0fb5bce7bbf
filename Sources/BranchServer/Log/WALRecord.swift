/// A whole record of PostgreSQL's log.
package struct WALRecord: Equatable, Sendable {
    package let position: UInt64
    /// Where the next one begins, or the header of its block.
    package let end: UInt64
    package let checksum: UInt32
    /// The kind of block that it begins on, another in each version.
    let magic: UInt16
    /// Whose it is, and which kind of theirs.
    let owner: UInt8
    let kind: UInt8
    /// How long it is without its header, and the first bytes of that.
    let length: Int
    let beginning: [UInt8]

    /// So much of a record is looked at.
    static let lookedAt = 2048
    private static let relationMap: UInt8 = 7
    private static let ownLog: UInt8 = 0
    private static let hint: UInt8 = 0xA0
    private static let transactions: UInt8 = 1
    private static let commitOfPrepared: UInt8 = 0x30

    /// Whether it may change a relation that all databases of the cluster share, as that of the
    /// roles: blocks of it, or which file it is in, or what was changed by a transaction that was
    /// prepared long ago. Also where that is not certain. Who reads a relation may note there which
    /// transactions are over, the question for the roles too: that is no change.
    package var mayChangeSharedRelations: Bool {
        if owner == Self.ownLog, kind & 0xF0 == Self.hint { return false }
        return owner == Self.relationMap
            || owner == Self.transactions && kind & 0x70 == Self.commitOfPrepared
            || BlockReferences(self)?.tablespaces.contains(BlockReferences.shared) ?? true
    }
}

/// What blocks a record says that it changes. Behind its header come parts, and behind those their
/// data, in the same order:
///
///     u8  0 to 32      a block: u8 flags, u16 bytes of data
///                      flag 16, an image: u16 its bytes, u16 where its hole is, u8 what it is;
///                          where it is compressed and has a hole, u16 the hole's bytes
///                      not flag 128, as before: u32 tablespace, u32 database, u32 file
///                      u32 the block's number
///     u8  252          u32 the transaction above
///     u8  253          u16 where it came from
///     u8  254          u32 bytes of the record's own data; the last part
///     u8  255          u8 the same
///
/// That an image is compressed is one of the flags 4, 8 and 16 from version 15 on, and 2 before.
private struct BlockReferences {
    private(set) var tablespaces: [UInt32] = []

    /// The tablespace of what all databases share, `pg_global`.
    static let shared: UInt32 = 1664
    private static let version15: UInt16 = 0xD110

    private var rest: ArraySlice<UInt8>

    /// Nil where the parts are others than these.
    init?(_ record: WALRecord) {
        rest = record.beginning[...]
        var dataBytes = 0
        while record.length - (record.beginning.count - rest.count) > dataBytes {
            guard let id = number(1) else { return nil }
            switch id {
            case 0...32:
                guard let bytes = block(record.magic) else { return nil }
                dataBytes += bytes
            case 252: guard number(4) != nil else { return nil }
            case 253: guard number(2) != nil else { return nil }
            case 254, 255:
                guard let bytes = number(id == 254 ? 4 : 1) else { return nil }
                dataBytes += Int(bytes)
            default: return nil
            }
        }
        guard record.length - (record.beginning.count - rest.count) == dataBytes else { return nil }
    }

    /// How many bytes of data belong to a block.
    private mutating func block(_ magic: UInt16) -> Int? {
        guard let flags = number(1), var bytes = number(2) else { return nil }
        if flags & 0x10 != 0 {
            guard let image = number(2), number(2) != nil, let form = number(1) else { return nil }
            let isCompressed = form & (magic >= Self.version15 ? 0x1C : 0x02) != 0
            if isCompressed, form & 1 != 0, number(2) == nil { return nil }
            bytes += image
        }
        if flags & 0x80 == 0 {
            guard let tablespace = number(4), number(8) != nil else { return nil }
            tablespaces.append(UInt32(tablespace))
        } else if tablespaces.isEmpty {
            return nil
        }
        return number(4) == nil ? nil : Int(bytes)
    }

    private mutating func number(_ count: Int) -> UInt64? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The last record of a log, by which it is known again.
package struct WALMark: Equatable, Sendable {
    let cluster: UInt64
    let position: UInt64
    let end: UInt64
    let checksum: UInt32

    package init(_ record: WALRecord, of cluster: UInt64) {
        self.cluster = cluster
        position = record.position
        end = record.end
        checksum = record.checksum
    }

    init(cluster: UInt64, position: UInt64, end: UInt64, checksum: UInt32) {
        self.cluster = cluster
        self.position = position
        self.end = end
        self.checksum = checksum
    }
}
