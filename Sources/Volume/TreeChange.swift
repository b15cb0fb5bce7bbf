import Oxbow
import Primitives

/// A change of names in the making, on copies: it takes effect whole, as one commit, or not at
/// all. Made and used with the volume's `treeLock` held.
final class TreeChange {
    private let files: BranchFiles
    private let reader: VolumeReader
    let time: Int64
    private var held: [InodeNumber: HeldInode] = [:]
    private var inodes: [InodeNumber: Inode] = [:]
    private var folderPages: [Place: FolderPage] = [:]
    private var changedInodes: Set<InodeNumber> = []
    private var orphaned: Set<InodeNumber> = []
    private var gone: Set<InodeNumber> = []
    private var nextInode: UInt64

    private struct Place: Hashable, Comparable {
        let folder: InodeNumber
        let page: PageNumber

        static func < (left: Place, right: Place) -> Bool {
            (left.folder, left.page) < (right.folder, right.page)
        }
    }

    init(_ files: BranchFiles) throws(VolumeError) {
        self.files = files
        reader = try files.reader()
        time = files.time
        nextInode = files.nextInode
    }

    /// Gives back what was locked, whether the change took effect or not.
    func end() {
        for inode in held.values { inode.lock.unlock() }
        for inode in held.values { files.release(inode) }
        held = [:]
    }

    /// The inode as this change leaves it.
    func inode(_ number: InodeNumber) throws(VolumeError) -> Inode {
        if let inode = inodes[number] { return inode }
        let found = files.table.hold(number)
        found.lock.lock()
        held[number] = found
        let inode = try files.load(found)
        inodes[number] = inode
        return inode
    }

    func folder(_ number: InodeNumber) throws(VolumeError) -> Inode {
        let inode = try inode(number)
        guard inode.kind == .folder else {
            throw VolumeError(.notAFolder, "inode \(number) is no folder")
        }
        return inode
    }

    func put(_ inode: Inode) {
        inodes[inode.number] = inode
        changedInodes.insert(inode.number)
    }

    /// Makes an inode that did not exist before.
    func makeInode(_ attributes: Attributes) throws(VolumeError) -> Inode {
        let number = InodeNumber(rawValue: nextInode)
        guard try reader.inode(number) == nil else {
            throw VolumeError(.damaged, "inode \(number) is there, and was not given out yet")
        }
        nextInode += 1
        let found = files.table.hold(number)
        found.lock.lock()
        held[number] = found
        let inode = Inode(number, attributes)
        put(inode)
        return inode
    }

    private func place(_ name: FileName, in folder: InodeNumber) -> Place {
        Place(folder: folder, page: name.page(seed: files.seed))
    }

    private func page(at place: Place) throws(VolumeError) -> FolderPage {
        if let page = folderPages[place] { return page }
        return try reader.folderPage(place.page, of: place.folder) ?? FolderPage()
    }

    func entry(_ name: FileName, in folder: InodeNumber) throws(VolumeError) -> FolderEntry? {
        try page(at: place(name, in: folder))[name]
    }

    func expectEntry(
        _ name: FileName,
        in folder: InodeNumber
    ) throws(VolumeError) -> FolderEntry {
        if let entry = try entry(name, in: folder) { return entry }
        throw VolumeError(.notFound, "there is no \(name) in folder \(folder)")
    }

    /// A folder that its entry calls a file would go with all that is in it.
    func expectKind(_ entry: FolderEntry) throws(VolumeError) {
        let kind = try inode(entry.number).kind
        guard kind == entry.kind else {
            throw VolumeError(
                .damaged,
                "\(entry.name) stands for a \(entry.kind), and inode \(entry.number) is a \(kind)"
            )
        }
    }

    func expectNoPages(_ folder: InodeNumber) throws(VolumeError) {
        let page = try engine { () throws(OxbowError) in
            try reader.pages.firstWritten(from: 0, of: folder.object)
        }
        guard page == nil else {
            throw VolumeError(.damaged, "folder \(folder) has entries, and says that it has none")
        }
    }

    /// Gives an inode a name in a folder. What the inode itself must know of it, the caller sees
    /// to.
    func add(_ name: FileName, _ inode: Inode, to number: InodeNumber) throws(VolumeError) {
        var folder = try folder(number)
        let place = place(name, in: number)
        var page = try page(at: place)
        if page.entries.isEmpty { folder.attributes.pageCount += 1 }
        guard page.add(name, inode.number, inode.kind, pageSize: files.pageSize) else {
            throw VolumeError(.full, "folder \(number) has too many names like \(name)")
        }
        folderPages[place] = page
        folder.entryCount += 1
        try touch(&folder)
    }

    func remove(_ name: FileName, from number: InodeNumber) throws(VolumeError) {
        var folder = try folder(number)
        let place = place(name, in: number)
        var page = try page(at: place)
        page.remove(name)
        guard folder.entryCount > 0, !page.entries.isEmpty || folder.attributes.pageCount > 0 else {
            throw VolumeError(.damaged, "folder \(number) has more entries than it says")
        }
        if page.entries.isEmpty { folder.attributes.pageCount -= 1 }
        folderPages[place] = page
        folder.entryCount -= 1
        try touch(&folder)
    }

    func replace(
        _ name: FileName,
        in number: InodeNumber,
        by inode: Inode
    ) throws(VolumeError) {
        var folder = try folder(number)
        let place = place(name, in: number)
        var page = try page(at: place)
        page.replace(name, by: inode.number, inode.kind)
        folderPages[place] = page
        try touch(&folder)
    }

    private func touch(_ folder: inout Inode) throws(VolumeError) {
        // Each page has an entry at least, where both were counted right.
        guard folder.attributes.pageCount <= folder.entryCount else {
            throw VolumeError(.damaged, "folder \(folder.number) has fewer entries than pages")
        }
        folder.attributes.modified = time
        folder.attributes.changed = time
        put(folder)
    }

    /// Takes a name away from a file; with the last one goes the file, or, while somebody has it
    /// open, it waits for its end among the orphans.
    func unlink(_ number: InodeNumber) throws(VolumeError) {
        var inode = try inode(number)
        try inode.loseLink()
        inode.attributes.changed = time
        if inode.kind == .folder || inode.attributes.linkCount == 0 && !isOpen(number) {
            gone.insert(number)
        } else if inode.attributes.linkCount == 0 {
            orphaned.insert(number)
        }
        put(inode)
    }

    private func isOpen(_ number: InodeNumber) -> Bool { (held[number]?.openCount ?? 0) > 0 }

    /// Lets the change take effect.
    func commit() throws(VolumeError) {
        var header = files.header
        if nextInode > header.nextInode {
            // So many at once, so that the header is seldom written.
            header.nextInode = nextInode + 255
        }
        try files.commit { edit throws(VolumeError) in
            if header != files.header {
                try edit.write(header.encoded(), page: 0, of: VolumeLayout.header)
            }
            try writeInodes(edit)
            try writeFolders(edit)
        }
        files.header = header
        files.nextInode = nextInode
        for number in changedInodes {
            held[number]?.inode = gone.contains(number) ? nil : inodes[number]
            held[number]?.isDirty = false
        }
    }

    private func writeInodes(_ edit: VolumeEdit) throws(VolumeError) {
        for number in changedInodes.sorted() {
            guard let inode = inodes[number] else { continue }
            if gone.contains(number) {
                try edit.delete(number, hasPages: inode.attributes.pageCount > 0)
            } else {
                try edit.write(inode)
            }
        }
        for number in orphaned.sorted() {
            let page = [UInt8](repeating: 0, count: files.pageSize)
            try edit.write(page, page: number.page, of: VolumeLayout.orphans)
        }
    }

    private func writeFolders(_ edit: VolumeEdit) throws(VolumeError) {
        for place in folderPages.keys.sorted() where !gone.contains(place.folder) {
            guard let page = folderPages[place] else { continue }
            if page.entries.isEmpty {
                try edit.delete(page: place.page, of: place.folder.object)
            } else {
                try edit.write(
                    page.encoded(pageSize: files.pageSize),
                    page: place.page,
                    of: place.folder.object
                )
            }
        }
    }
}

extension Inode {
    /// Counts a name less.
    mutating func loseLink() throws(VolumeError) {
        guard attributes.linkCount > 0 else {
            throw VolumeError(.damaged, "inode \(number) has more names than it says")
        }
        attributes.linkCount -= 1
    }
}

extension BranchFiles {
    /// Changes names, in one step.
    func changeTree<Result>(
        _ body: (TreeChange) throws(VolumeError) -> Result
    ) throws(VolumeError) -> Result {
        treeLock.lock()
        defer { treeLock.unlock() }
        let change = try TreeChange(self)
        defer { change.end() }
        let result = try body(change)
        try change.commit()
        return result
    }
}
