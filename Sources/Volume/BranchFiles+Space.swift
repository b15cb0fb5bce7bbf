import Oxbow
import Primitives

extension BranchFiles {
    /// Changes a file's size. What was behind the end reads as zeros if the file grows again.
    func resize(
        _ inode: inout Inode,
        to size: UInt64,
        _ edit: VolumeEdit
    ) throws(VolumeError) {
        let before = inode.attributes.size
        if size < before {
            // A page that is cut is blanked behind the cut; those after it go as a whole.
            let end = pagesUpTo(before) * UInt64(pageSize)
            try clear(size..<end, of: &inode, edit)
        }
        inode.attributes.size = size
        inode.attributes.modified = inode.attributes.changed
    }

    /// Makes a range of a file read as zeros.
    private func clear(
        _ range: Range<UInt64>,
        of inode: inout Inode,
        _ edit: VolumeEdit
    ) throws(VolumeError) {
        let content = try reader()
        let span = PageSpan(range, pageSize: pageSize)
        for piece in [span.head, span.tail].compactMap({ $0 }) {
            try blank(piece.target, on: piece.page, of: inode, content, edit)
        }
        let pages = PageNumber(span.whole.lowerBound)..<PageNumber(span.whole.upperBound)
        let count = try countPages(pages, of: inode, content)
        guard count > 0 else { return }
        guard count <= inode.attributes.pageCount else {
            throw VolumeError(
                .damaged,
                "inode \(inode.number) has \(count) pages, and says \(inode.attributes.pageCount)"
            )
        }
        inode.attributes.pageCount -= count
        try edit.delete(pages, of: inode.number.object)
    }

    private func countPages(
        _ pages: Range<PageNumber>,
        of inode: Inode,
        _ content: VolumeReader
    ) throws(VolumeError) -> UInt64 {
        if pages.isEmpty { return 0 }
        let all = pagesUpTo(inode.attributes.size)
        if inode.attributes.pageCount == all {
            let end = min(pages.upperBound.rawValue, all)
            return end - min(end, pages.lowerBound.rawValue)
        }
        var count: UInt64 = 0
        try engine { () throws(OxbowError) in
            let object = inode.number.object
            try content.pages.visit(of: object, from: pages.lowerBound) { page in
                guard page < pages.upperBound else { return false }
                count += 1
                return true
            }
        }
        return count
    }

    /// Zeroes a part of a page, where the page was written.
    private func blank(
        _ range: Range<Int>,
        on page: PageNumber,
        of inode: Inode,
        _ content: VolumeReader,
        _ edit: VolumeEdit
    ) throws(VolumeError) {
        let object = inode.number.object
        let found = try engine { () throws(OxbowError) in try content.pages.page(page, of: object) }
        guard var bytes = found else { return }
        bytes.replaceSubrange(range, with: repeatElement(0, count: range.count))
        try edit.write(bytes, page: page, of: object)
    }

    /// Lengthens a file with zeros that take no room. Call with its lock held.
    func reserve(
        _ held: HeldInode,
        _ range: Range<UInt64>,
        _ keepingSize: Bool
    ) throws(VolumeError) {
        let size = try loadFile(held).attributes.size
        try expectFits(range, held.number)
        guard !keepingSize, range.upperBound > size else { return try expectCurrent() }
        try change(held) { inode, edit throws(VolumeError) in
            try self.resize(&inode, to: range.upperBound, edit)
        }
    }

    /// Makes a range read as zeros. Call with the file's lock held.
    func clear(
        _ held: HeldInode,
        _ range: Range<UInt64>,
        _ lengthening: Bool
    ) throws(VolumeError) {
        let size = try loadFile(held).attributes.size
        try expectFits(range, held.number)
        let grows = lengthening && range.upperBound > size
        guard !range.isEmpty, grows || range.lowerBound < size else { return }
        try change(held) { inode, edit throws(VolumeError) in
            // What is behind the end is zeros already, so the last page can go as a whole.
            let end =
                range.upperBound >= size
                ? self.pagesUpTo(size) * UInt64(self.pageSize)
                : range.upperBound
            if range.lowerBound < end {
                try self.clear(range.lowerBound..<end, of: &inode, edit)
            }
            inode.attributes.modified = inode.attributes.changed
            if grows { inode.attributes.size = range.upperBound }
        }
    }

    func expectFits(_ range: Range<UInt64>, _ number: InodeNumber) throws(VolumeError) {
        guard range.upperBound <= VolumeLimits.fileBytes else {
            throw VolumeError(.fileTooLarge, "inode \(number): \(range.upperBound) is too far")
        }
    }
}
