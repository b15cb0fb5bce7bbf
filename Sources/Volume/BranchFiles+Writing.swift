import Oxbow
import Primitives

extension BranchFiles {
    /// Writes bytes into a file. Call with its lock held.
    func write(
        _ held: HeldInode,
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64
    ) throws(VolumeError) {
        var inode = try loadFile(held)
        guard unsafe !bytes.isEmpty else { return }
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow, end <= VolumeLimits.fileBytes else {
            throw VolumeError(.fileTooLarge, "inode \(held.number): \(offset) is too far")
        }
        let content = try reader()
        let span = PageSpan(offset..<end, pageSize: pageSize)
        let before = inode.attributes
        try account(&inode, span, content)
        inode.attributes.size = max(inode.attributes.size, end)
        try checkSize(inode)
        inode.attributes.modified = time
        inode.attributes.changed = inode.attributes.modified
        let head = try span.head.map { piece throws(VolumeError) in
            try unsafe patched(piece, bytes, held.number, content)
        }
        let tail = try span.tail.map { piece throws(VolumeError) in
            try unsafe patched(piece, bytes, held.number, content)
        }
        let isLarger =
            before.size != inode.attributes.size
            || before.pageCount != inode.attributes.pageCount
        let object = held.number.object
        try commit { edit throws(VolumeError) in
            if let head, let piece = span.head {
                try edit.write(head, page: piece.page, of: object)
            }
            for page in span.whole {
                let start = Int(page * UInt64(pageSize) - offset)
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + pageSize])
                try unsafe edit.write(part, page: PageNumber(page), of: object)
            }
            if let tail, let piece = span.tail {
                try edit.write(tail, page: piece.page, of: object)
            }
            if isLarger { try edit.write(inode) }
        }
        held.inode = inode
        held.isDirty = !isLarger
        let whole = before.size / UInt64(pageSize)
        let isCut = [span.head, span.tail].contains { $0.map { $0.page.rawValue < whole } ?? false }
        if isCut { cutWrites.note(held.number) }
    }

    /// Counts the pages that a write makes.
    private func account(
        _ inode: inout Inode,
        _ span: PageSpan,
        _ content: VolumeReader
    ) throws(VolumeError) {
        let behind = pagesUpTo(inode.attributes.size)
        let isDense = inode.attributes.pageCount == behind
        for page in span.pages {
            if page >= behind {
                inode.attributes.pageCount += 1
            } else if !isDense, try !isWritten(page, of: inode, content) {
                inode.attributes.pageCount += 1
            }
        }
    }

    private func isWritten(
        _ page: UInt64,
        of inode: Inode,
        _ content: VolumeReader
    ) throws(VolumeError) -> Bool {
        try engine { () throws(OxbowError) in
            try content.pages.isWritten(PageNumber(page), of: inode.number.object)
        }
    }

    /// A page of which a part is written anew.
    private func patched(
        _ piece: PageSpan.Piece,
        _ bytes: UnsafeRawBufferPointer,
        _ number: InodeNumber,
        _ content: VolumeReader
    ) throws(VolumeError) -> [UInt8] {
        var page = try content.page(piece.page, of: number)
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[piece.source])
        unsafe page.withUnsafeMutableBytes { whole in
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[piece.target])
            unsafe target.copyMemory(from: part)
        }
        return page
    }

    /// How many pages a file of so many bytes has at most.
    func pagesUpTo(_ size: UInt64) -> UInt64 {
        Inode.pages(in: size, pageSize: pageSize)
    }

    /// A count of pages that was wrong before shows when pages are added to it. Call before the
    /// change takes effect.
    func checkSize(_ inode: Inode) throws(VolumeError) {
        guard inode.kind == .file, inode.attributes.pageCount > pagesUpTo(inode.attributes.size)
        else { return }
        throw VolumeError(
            .damaged,
            "inode \(inode.number): \(inode.attributes.pageCount) pages in "
                + "\(inode.attributes.size) bytes"
        )
    }
}

/// A range of a file's bytes, page by page: at most a part of a first page, whole ones, and a part
/// of a last one.
struct PageSpan {
    struct Piece {
        let page: PageNumber
        /// The piece on its page,
        let target: Range<Int>
        /// and in the range.
        let source: Range<Int>
    }

    let head: Piece?
    let whole: Range<UInt64>
    let tail: Piece?
    let pages: Range<UInt64>

    init(_ range: Range<UInt64>, pageSize: Int) {
        let size = UInt64(pageSize)
        let first = range.lowerBound / size
        let skip = Int(range.lowerBound % size)
        let end = range.upperBound / size
        let rest = Int(range.upperBound % size)
        pages = first..<(rest == 0 ? end : end + 1)
        // Of a range that is cleared it can be more than there are bytes in memory.
        let count = Int(clamping: range.upperBound - range.lowerBound)
        if first == end || skip > 0 {
            let length = first == end ? count : pageSize - skip
            head = Piece(
                page: PageNumber(first),
                target: skip..<skip + length,
                source: 0..<length
            )
            whole = first == end ? end..<end : first + 1..<end
        } else {
            head = nil
            whole = first..<end
        }
        tail =
            first == end || rest == 0
            ? nil
            : Piece(page: PageNumber(end), target: 0..<rest, source: count - rest..<count)
    }
}
