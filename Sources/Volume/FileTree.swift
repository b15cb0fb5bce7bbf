import Oxbow

/// What can be asked of a volume, whether it is a branch's own or that of a moment gone by.
public protocol FileTree: Sendable {
    /// What is known of a file.
    func attributes(of number: InodeNumber) throws(VolumeError) -> Attributes
    /// Which file has a name in a folder.
    func lookUp(_ name: FileName, in folder: InodeNumber) throws(VolumeError) -> InodeNumber
    /// The folder that a folder is in; the root is in itself.
    func parent(of folder: InodeNumber) throws(VolumeError) -> InodeNumber
    /// What a symbolic link holds.
    func target(of link: InodeNumber) throws(VolumeError) -> [UInt8]
    /// Visits a folder's entries from a cursor on, in an order that means nothing, each with the
    /// cursor behind it, until the body returns false. Entries that are neither made nor removed
    /// meanwhile are visited once.
    func visitEntries(
        of folder: InodeNumber,
        from cursor: FolderCursor,
        _ body: (Listing, FolderCursor) -> Bool
    ) throws(VolumeError)
    /// Fills `buffer` from a file, from `offset` on, and returns how many bytes there were.
    func read(
        _ number: InodeNumber,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(VolumeError) -> Int
    /// The first place at or after `offset` that holds written bytes, or none, up to the file's
    /// end; nil where the file ends first.
    func seek(
        _ target: SeekTarget,
        in number: InodeNumber,
        from offset: UInt64
    ) throws(VolumeError) -> UInt64?
}

/// What a folder's list says of an entry.
public struct Listing: Sendable, Equatable {
    /// The name.
    public let name: FileName
    /// Which file has it.
    public let number: InodeNumber
    /// What that is.
    public let kind: FileKind
}

/// What to look for in a sparse file.
public enum SeekTarget: Sendable {
    /// Bytes that were written.
    case data
    /// Bytes that were not; the end of a file counts as such.
    case hole
}

/// A file tree that has readers: what they make of it.
protocol ReadableTree: FileTree {
    func reader() throws(VolumeError) -> VolumeReader
    /// An inode as it is now, memory included.
    func current(_ number: InodeNumber) throws(VolumeError) -> Inode
}

extension ReadableTree {
    /// What is known of a file.
    public func attributes(of number: InodeNumber) throws(VolumeError) -> Attributes {
        try current(number).publicAttributes
    }

    /// Which file has a name in a folder.
    public func lookUp(
        _ name: FileName,
        in folder: InodeNumber
    ) throws(VolumeError) -> InodeNumber {
        if let entry = try reader().entry(name, in: folder) { return entry.number }
        try expectFolder(folder)
        throw VolumeError(.notFound, "there is no \(name) in folder \(folder)")
    }

    /// The folder that a folder is in; the root is in itself.
    public func parent(of folder: InodeNumber) throws(VolumeError) -> InodeNumber {
        try expectFolder(folder).parent
    }

    /// What a symbolic link holds.
    public func target(of link: InodeNumber) throws(VolumeError) -> [UInt8] {
        let inode = try current(link)
        guard inode.kind == .link else {
            throw VolumeError(.invalid, "inode \(link) is no symbolic link")
        }
        return inode.target
    }

    /// Visits a folder's entries from a cursor on.
    public func visitEntries(
        of folder: InodeNumber,
        from cursor: FolderCursor,
        _ body: (Listing, FolderCursor) -> Bool
    ) throws(VolumeError) {
        try expectFolder(folder)
        try reader().visitEntries(of: folder, from: cursor) { entry, next in
            body(Listing(name: entry.name, number: entry.number, kind: entry.kind), next)
        }
    }

    /// Fills `buffer` from a file, and returns how many bytes there were.
    public func read(
        _ number: InodeNumber,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(VolumeError) -> Int {
        let inode = try expectFile(number)
        return try unsafe reader().read(
            number,
            size: inode.attributes.size,
            at: offset,
            into: buffer
        )
    }

    /// The first place at or after `offset` that holds what is sought.
    public func seek(
        _ target: SeekTarget,
        in number: InodeNumber,
        from offset: UInt64
    ) throws(VolumeError) -> UInt64? {
        let size = try expectFile(number).attributes.size
        guard offset < size else { return nil }
        let reader = try reader()
        let pageSize = UInt64(reader.pageSize)
        var page = offset / pageSize
        switch target {
        case .data:
            let first = try engine { () throws(OxbowError) in
                try reader.pages.firstWritten(from: PageNumber(page), of: number.object)
            }
            guard let first, first.rawValue < Inode.pages(in: size, pageSize: reader.pageSize)
            else { return nil }
            return max(offset, first.rawValue * pageSize)
        case .hole:
            try engine { () throws(OxbowError) in
                try reader.pages.visit(of: number.object, from: PageNumber(page)) { written in
                    if written.rawValue != page { return false }
                    page += 1
                    return true
                }
            }
            return min(max(offset, page * pageSize), size)
        }
    }

    @discardableResult
    func expectFolder(_ number: InodeNumber) throws(VolumeError) -> Inode {
        let inode = try current(number)
        guard inode.kind == .folder else {
            throw VolumeError(.notAFolder, "inode \(number) is no folder")
        }
        return inode
    }

    func expectFile(_ number: InodeNumber) throws(VolumeError) -> Inode {
        let inode = try current(number)
        switch inode.kind {
        case .file: return inode
        case .folder: throw VolumeError(.isAFolder, "inode \(number) is a folder")
        default: throw VolumeError(.invalid, "inode \(number) is no file of bytes")
        }
    }
}

extension Inode {
    /// What callers see: of a link and a folder the size is not kept, but follows.
    var publicAttributes: Attributes {
        var shown = attributes
        switch kind {
        case .folder: shown.size = entryCount
        case .link: shown.size = UInt64(target.count)
        default: break
        }
        return shown
    }
}
