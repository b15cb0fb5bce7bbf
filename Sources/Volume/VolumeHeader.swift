package import Primitives

/// Page 0 of ``VolumeLayout/header``: what makes a branch's pages a volume.
///
/// Little-endian, zeros after what is there:
///
///     0       "OXVOLUME"
///     8  u32  version, 1
///    12  u32  page size
///    16  u64  seed of the places in folders
///    24  i64  when it was made
///    32  u64  no inode at or above this number was given out
package struct VolumeHeader: Equatable {
    var pageSize: UInt32
    var seed: UInt64
    var created: Int64
    var nextInode: UInt64

    private static let magic: UInt64 = 0x454D_554C_4F56_584F
    private static let version: UInt32 = 1
    /// So far below the largest number that counting on overflows nothing.
    private static let inodeLimit: UInt64 = 1 << 62

    /// Whether a page says of itself that it is one, sound or not.
    static func isMarked(_ page: [UInt8]) -> Bool {
        var reader = ByteReader(page)
        return (try? reader.fixed("magic", as: UInt64.self)) == magic
    }

    init(pageSize: Int, seed: UInt64, created: Int64) {
        self.pageSize = UInt32(pageSize)
        self.seed = seed
        self.created = created
        nextInode = InodeNumber.root.rawValue + 1
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: Int(pageSize))
        writer.append(fixed: Self.magic)
        writer.append(fixed: Self.version)
        writer.append(fixed: pageSize)
        writer.append(fixed: seed)
        writer.append(fixed: created)
        writer.append(fixed: nextInode)
        return writer.padded(to: Int(pageSize))
    }

    package init(decoding page: [UInt8]) throws(Malformed) {
        var reader = ByteReader(page)
        guard try reader.fixed("magic", as: UInt64.self) == Self.magic else {
            throw Malformed("no volume", at: 0)
        }
        guard try reader.fixed("version", as: UInt32.self) == Self.version else {
            throw Malformed("a volume of an unknown version", at: 8)
        }
        pageSize = try reader.fixed("page size")
        guard Int(pageSize) == page.count else { throw Malformed("page size", at: 12) }
        seed = try reader.fixed("seed")
        created = try reader.fixed("created")
        nextInode = try reader.fixed("next inode")
        guard nextInode > InodeNumber.root.rawValue, nextInode <= Self.inodeLimit else {
            throw Malformed("inodes", at: 32)
        }
    }
}
