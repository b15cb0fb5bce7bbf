import Oxbow
import Primitives

/// Reads files out of a branch's pages at one moment.
struct VolumeReader {
    let pages: Pages
    let pageSize: Int
    /// Of the places in folders.
    let seed: UInt64

    init(_ pages: Pages, pageSize: Int, seed: UInt64) {
        self.pages = pages
        self.pageSize = pageSize
        self.seed = seed
    }

    init(_ pages: Pages, _ header: VolumeHeader) {
        self.init(pages, pageSize: Int(header.pageSize), seed: header.seed)
    }

    /// Nil where the pages are no volume.
    static func header(of pages: Pages) throws(VolumeError) -> VolumeHeader? {
        let page = try engine { () throws(OxbowError) in
            try pages.page(0, of: VolumeLayout.header)
        }
        guard let page else { return nil }
        return try decode("the volume's header") { () throws(Malformed) in
            try VolumeHeader(decoding: page)
        }
    }

    private static func decode<Value>(
        _ what: @autoclosure () -> String,
        _ body: () throws(Malformed) -> Value
    ) throws(VolumeError) -> Value {
        do throws(Malformed) { return try body() } catch {
            throw VolumeError(.damaged, "\(what()): \(error.what) (byte \(error.offset))")
        }
    }

    /// Nil where no such inode is there any more.
    func inode(_ number: InodeNumber) throws(VolumeError) -> Inode? {
        let page = try engine { () throws(OxbowError) in
            try pages.page(number.page, of: VolumeLayout.inodes)
        }
        guard let page else { return nil }
        return try Self.decode("inode \(number)") { () throws(Malformed) in
            try Inode(decoding: page, as: number)
        }
    }

    func folderPage(
        _ page: PageNumber,
        of folder: InodeNumber
    ) throws(VolumeError) -> FolderPage? {
        let bytes = try engine { () throws(OxbowError) in
            try pages.page(page, of: folder.object)
        }
        return try bytes.map { bytes throws(VolumeError) in try decoded(bytes, page, of: folder) }
    }

    private func decoded(
        _ bytes: [UInt8],
        _ page: PageNumber,
        of folder: InodeNumber
    ) throws(VolumeError) -> FolderPage {
        try Self.decode("page \(page) of folder \(folder)") { () throws(Malformed) in
            try FolderPage(decoding: bytes)
        }
    }

    func entry(_ name: FileName, in folder: InodeNumber) throws(VolumeError) -> FolderEntry? {
        try folderPage(name.page(seed: seed), of: folder)?[name]
    }

    /// Visits a folder's entries from a cursor on, each with the cursor behind it, until the body
    /// returns false.
    func visitEntries(
        of folder: InodeNumber,
        from cursor: FolderCursor,
        _ body: (FolderEntry, FolderCursor) -> Bool
    ) throws(VolumeError) {
        var failure: VolumeError?
        try engine { () throws(OxbowError) in
            try unsafe pages.visit(
                of: folder.object,
                from: cursor.page,
                reading: FolderPage.sizeOfOne
            ) { page, bytes in
                do throws(VolumeError) {
                    let start = page == cursor.page ? cursor.slot : 0
                    for entry in try entries(page, of: folder, beginning: unsafe Array(bytes))
                    where entry.slot >= start {
                        if !body(entry, FolderCursor(page, after: entry.slot)) { return false }
                    }
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        }
        if let failure { throw failure }
    }

    /// What is on a folder's page that begins with these bytes: all of it, where it has one entry.
    private func entries(
        _ page: PageNumber,
        of folder: InodeNumber,
        beginning bytes: [UInt8]
    ) throws(VolumeError) -> [FolderEntry] {
        // A cursor has no room for it; counting on from there could lead round in a circle.
        guard page.rawValue >> FileName.placeBits == 0 else {
            throw VolumeError(.damaged, "folder \(folder) has page \(page), where no name is")
        }
        if FolderPage.hasOne(bytes) { return try decoded(bytes, page, of: folder).entries }
        return try folderPage(page, of: folder)?.entries ?? []
    }

    private func read(
        _ page: PageNumber,
        of number: InodeNumber,
        into bytes: inout [UInt8]
    ) throws(VolumeError) {
        var failure: OxbowError?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(OxbowError) {
                try unsafe pages.read(page: page, of: number.object, into: buffer)
            } catch { failure = error }
        }
        if let failure { throw VolumeError(failure) }
    }

    /// Fills `buffer` from a file's content, which has `size` bytes. Returns how many it filled.
    func read(
        _ number: InodeNumber,
        size: UInt64,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(VolumeError) -> Int {
        guard offset < size else { return 0 }
        let count = Int(min(UInt64(buffer.count), size - offset))
        var done = 0
        while done < count {
            let place = offset + UInt64(done)
            let skip = Int(place % UInt64(pageSize))
            let length = min(pageSize - skip, count - done)
            let page = PageNumber(place / UInt64(pageSize))
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + length])
            if length == pageSize {
                try engine { () throws(OxbowError) in
                    try unsafe pages.read(page: page, of: number.object, into: part)
                }
            } else {
                let whole = try self.page(page, of: number)
                unsafe whole.withUnsafeBytes { bytes in
                    unsafe part.copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: bytes[skip..<skip + length])
                    )
                }
            }
            done += length
        }
        return count
    }

    /// A page of a file; zeros where none was written.
    func page(_ page: PageNumber, of number: InodeNumber) throws(VolumeError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: pageSize)
        try read(page, of: number, into: &bytes)
        return bytes
    }
}

/// A place in a folder's list: it stays what it is while entries come and go.
public struct FolderCursor: RawRepresentable, Hashable, Sendable {
    /// The place, as a number of 60 bits.
    public let rawValue: UInt64

    /// Makes a cursor from its number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Before the first entry.
    public static var start: FolderCursor { FolderCursor(rawValue: 0) }

    init(_ page: PageNumber, after slot: UInt8) {
        rawValue = page.rawValue << 8 + UInt64(slot) + 1
    }

    var page: PageNumber { PageNumber(rawValue >> 8) }
    var slot: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
}
