package import Primitives

/// A page of ``VolumeLayout/inodes``: all that is known of one file beside its content.
///
/// Little-endian, zeros after what is there:
///
///     0  u32  "INOD"            48  u64  pages written
///     4  u8   version, 1        56  i64  accessed      88  u64  a folder's own folder
///     5  u8   kind              64  i64  modified      96  u64  a folder's entries
///     6  u16  permissions       72  i64  changed      104  u16  length of what a link holds
///     8  u64  number            80  i64  created      106       what a link holds
///    16  u32  links, u32 owner
///    24  u32  group, u32 zero
///    32  u64  device
///    40  u64  size
package struct Inode: Equatable {
    var number: InodeNumber
    var attributes: Attributes
    /// The folder that a folder is in; the root is in itself.
    var parent = InodeNumber(rawValue: 0)
    /// How many entries a folder has.
    var entryCount: UInt64 = 0
    /// What a link holds.
    var target: [UInt8] = []

    var kind: FileKind { attributes.kind }

    private static let magic: UInt32 = 0x444F_4E49
    private static let version: UInt8 = 1

    init(_ number: InodeNumber, _ attributes: Attributes) {
        self.number = number
        self.attributes = attributes
    }

    package func encoded(pageSize: Int) -> [UInt8] {
        invariant(attributes.size <= VolumeLimits.fileBytes, "inode \(number): too large")
        invariant(target.count <= VolumeLimits.targetBytes, "inode \(number): a target too long")
        var writer = ByteWriter(capacity: pageSize)
        writer.append(fixed: Self.magic)
        writer.append(Self.version)
        writer.append(kind.rawValue)
        writer.append(fixed: attributes.permissions)
        writer.append(fixed: number.rawValue)
        writer.append(fixed: attributes.linkCount)
        writer.append(fixed: attributes.owner)
        writer.append(fixed: attributes.group)
        writer.append(fixed: UInt32(0))
        for value in [attributes.device, attributes.size, attributes.pageCount] {
            writer.append(fixed: value)
        }
        for time in [
            attributes.accessed, attributes.modified, attributes.changed, attributes.created,
        ] {
            writer.append(fixed: time)
        }
        writer.append(fixed: parent.rawValue)
        writer.append(fixed: entryCount)
        writer.append(fixed: UInt16(target.count))
        writer.append(raw: target)
        return writer.padded(to: pageSize)
    }

    package init(decoding page: [UInt8], as number: InodeNumber) throws(Malformed) {
        var reader = ByteReader(page)
        guard try reader.fixed("magic", as: UInt32.self) == Self.magic else {
            throw Malformed("no inode", at: 0)
        }
        guard try reader.byte("version") == Self.version else {
            throw Malformed("an inode of an unknown version", at: 4)
        }
        guard let kind = FileKind(rawValue: try reader.byte("kind")) else {
            throw Malformed("a file of unknown kind", at: 5)
        }
        let permissions = try reader.fixed("permissions", as: UInt16.self)
        guard permissions <= 0o7777 else { throw Malformed("permissions", at: 6) }
        guard try reader.fixed("number", as: UInt64.self) == number.rawValue else {
            throw Malformed("another inode in the place of one", at: 8)
        }
        // Objects below hold the volume itself: who wrote to them as content would destroy it.
        guard number >= .root else { throw Malformed("a number that is never given out", at: 8) }
        self.number = number
        let links = try reader.fixed("links", as: UInt32.self)
        let owner = try reader.fixed("owner", as: UInt32.self)
        let group = try reader.fixed("group", as: UInt32.self)
        _ = try reader.fixed("zero", as: UInt32.self)
        attributes = Attributes(
            kind: kind,
            permissions: permissions,
            owner: owner,
            group: group,
            time: 0
        )
        attributes.linkCount = links
        attributes.device = try reader.fixed("device")
        attributes.size = try reader.fixed("size")
        guard attributes.size <= VolumeLimits.fileBytes else { throw Malformed("size", at: 40) }
        attributes.pageCount = try reader.fixed("pages")
        attributes.accessed = try reader.fixed("accessed")
        attributes.modified = try reader.fixed("modified")
        attributes.changed = try reader.fixed("changed")
        attributes.created = try reader.fixed("created")
        parent = InodeNumber(rawValue: try reader.fixed("parent"))
        entryCount = try reader.fixed("entries")
        let length = Int(try reader.fixed("length", as: UInt16.self))
        guard length <= VolumeLimits.targetBytes else { throw Malformed("target", at: 104) }
        target = try reader.raw(length, "target")
        try checkCounts(pageSize: page.count)
    }

    /// What is counted up and down later must have room in both directions.
    private func checkCounts(pageSize: Int) throws(Malformed) {
        guard entryCount <= Self.entryLimit, kind == .folder || entryCount == 0 else {
            throw Malformed("entries", at: 96)
        }
        let pages =
            switch kind {
            case .file: Self.pages(in: attributes.size, pageSize: pageSize)
            case .folder: entryCount
            default: UInt64(0)
            }
        guard attributes.pageCount <= pages else { throw Malformed("pages", at: 48) }
    }

    /// More names than there are places for in a folder.
    private static let entryLimit: UInt64 = 1 << 60

    /// How many pages a file of so many bytes has at most.
    static func pages(in size: UInt64, pageSize: Int) -> UInt64 {
        size / UInt64(pageSize) + (size % UInt64(pageSize) == 0 ? 0 : 1)
    }
}

extension ByteWriter {
    /// The bytes, with zeros up to a page.
    func padded(to size: Int) -> [UInt8] {
        invariant(count <= size, "\(count) bytes on a page of \(size)")
        var bytes = bytes
        bytes.append(contentsOf: repeatElement(0, count: size - count))
        return bytes
    }
}
