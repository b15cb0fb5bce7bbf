package import Primitives

/// What a folder knows of one of its names.
struct FolderEntry: Equatable {
    var name: FileName
    var number: InodeNumber
    var kind: FileKind
    /// The entry's own place on the page, which it keeps while others come and go.
    var slot: UInt8
}

/// The entries of a folder whose names have the same place: nearly always one.
///
/// Little-endian, zeros after what is there:
///
///     0  u32  "FOLD"
///     4  u8   version, 1
///     5  u8   how many entries
///     6       each: u64 inode, u8 kind, u8 slot, u8 length of the name, name; slots grow
package struct FolderPage: Equatable {
    private(set) var entries: [FolderEntry] = []

    private static let magic: UInt32 = 0x444C_4F46
    private static let version: UInt8 = 1
    private static let headerSize = 6
    private static let entrySize = 11

    /// A page that has one entry has it in so many bytes.
    static let sizeOfOne = headerSize + entrySize + VolumeLimits.nameBytes

    /// Whether a page that begins with these bytes has one entry.
    static func hasOne(_ bytes: [UInt8]) -> Bool { bytes.count >= headerSize && bytes[5] == 1 }

    init() {}

    subscript(name: FileName) -> FolderEntry? { entries.first { $0.name == name } }

    /// Adds an entry, where there is room for it.
    mutating func add(
        _ name: FileName,
        _ number: InodeNumber,
        _ kind: FileKind,
        pageSize: Int
    ) -> Bool {
        invariant(self[name] == nil, "a name twice in a folder")
        let used = entries.reduce(Self.headerSize) { $0 + Self.entrySize + $1.name.bytes.count }
        let needed = Self.entrySize + name.bytes.count
        guard used + needed <= pageSize, entries.count < 255 else { return false }
        let free = (0...UInt8.max).first { slot in !entries.contains { $0.slot == slot } }
        guard let slot = free else { return false }
        let place = entries.firstIndex { $0.slot > slot } ?? entries.count
        entries.insert(
            FolderEntry(name: name, number: number, kind: kind, slot: slot),
            at: place
        )
        return true
    }

    mutating func remove(_ name: FileName) { entries.removeAll { $0.name == name } }

    mutating func replace(_ name: FileName, by number: InodeNumber, _ kind: FileKind) {
        guard let index = entries.firstIndex(where: { $0.name == name }) else { return }
        entries[index].number = number
        entries[index].kind = kind
    }

    package func encoded(pageSize: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: pageSize)
        writer.append(fixed: Self.magic)
        writer.append(Self.version)
        writer.append(UInt8(entries.count))
        for entry in entries {
            writer.append(fixed: entry.number.rawValue)
            writer.append(entry.kind.rawValue)
            writer.append(entry.slot)
            writer.append(UInt8(entry.name.bytes.count))
            writer.append(raw: entry.name.bytes)
        }
        return writer.padded(to: pageSize)
    }

    package init(decoding page: [UInt8]) throws(Malformed) {
        var reader = ByteReader(page)
        guard try reader.fixed("magic", as: UInt32.self) == Self.magic else {
            throw Malformed("no folder's page", at: 0)
        }
        guard try reader.byte("version") == Self.version else {
            throw Malformed("a folder's page of an unknown version", at: 4)
        }
        for _ in 0..<(try reader.byte("entries")) {
            let start = reader.offset
            let number = InodeNumber(rawValue: try reader.fixed("inode"))
            guard number >= .root else { throw Malformed("an inode that is none", at: start) }
            guard let kind = FileKind(rawValue: try reader.byte("kind")) else {
                throw Malformed("a file of unknown kind", at: start)
            }
            let slot = try reader.byte("slot")
            let length = Int(try reader.byte("length"))
            let bytes = try reader.raw(length, "name")
            guard let name = try? FileName(bytes), self[name] == nil else {
                throw Malformed("a name that is none, or there twice", at: start)
            }
            if let last = entries.last, last.slot >= slot {
                throw Malformed("slots out of order", at: start)
            }
            entries.append(FolderEntry(name: name, number: number, kind: kind, slot: slot))
        }
        guard !entries.isEmpty else { throw Malformed("a folder's page without entries", at: 5) }
    }
}
