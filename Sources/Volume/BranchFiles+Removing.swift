import Oxbow

extension BranchFiles {
    /// Removes a name of a file that is no folder. Who has the file open can go on with it.
    public func remove(_ name: FileName, from folder: InodeNumber) throws(VolumeError) {
        try changeTree { change throws(VolumeError) in
            _ = try change.folder(folder)
            let entry = try change.expectEntry(name, in: folder)
            guard entry.kind != .folder else {
                throw VolumeError(.isAFolder, "\(name) is a folder")
            }
            try change.expectKind(entry)
            try change.remove(name, from: folder)
            try change.unlink(entry.number)
        }
    }

    /// Removes an empty folder.
    public func removeFolder(_ name: FileName, from folder: InodeNumber) throws(VolumeError) {
        try changeTree { change throws(VolumeError) in
            _ = try change.folder(folder)
            let entry = try change.expectEntry(name, in: folder)
            try change.expectEmptyFolder(entry)
            try change.remove(name, from: folder)
            try change.removeFolder(entry.number, from: folder)
        }
    }

    /// Ends files that lost their last name while a process had them open that is no more. What is
    /// listed and is no such file stays, for the check to report.
    func reapOrphans() throws(VolumeError) {
        var next = VolumeLayout.firstContent.page
        while let number = try firstOrphan(from: next) {
            next = PageNumber(number.rawValue + 1)
            guard let inode = try namelessFile(number) else { continue }
            try forget(number, hasPages: inode.attributes.pageCount > 0)
        }
    }

    private func namelessFile(_ number: InodeNumber) throws(VolumeError) -> Inode? {
        do throws(VolumeError) {
            guard let inode = try reader().inode(number), inode.kind != .folder,
                inode.attributes.linkCount == 0
            else { return nil }
            return inode
        } catch {
            guard error.kind == .damaged else { throw error }
            return nil
        }
    }

    private func firstOrphan(from page: PageNumber) throws(VolumeError) -> InodeNumber? {
        let pages = try reader().pages
        return try engine { () throws(OxbowError) in
            try pages.firstWritten(from: page, of: VolumeLayout.orphans)
        }
        .map { InodeNumber(rawValue: $0.rawValue) }
    }

    /// Whether a file is listed as one that ends with its last opening.
    func isOrphan(_ number: InodeNumber) throws(VolumeError) -> Bool {
        let pages = try reader().pages
        return try engine { () throws(OxbowError) in
            try pages.isWritten(number.page, of: VolumeLayout.orphans)
        }
    }

    /// Deletes an orphan, and all that it held.
    func forget(_ number: InodeNumber, hasPages: Bool) throws(VolumeError) {
        try commit { edit throws(VolumeError) in
            try edit.delete(page: number.page, of: VolumeLayout.orphans)
            try edit.delete(number, hasPages: hasPages)
        }
    }
}

extension TreeChange {
    func expectEmptyFolder(_ entry: FolderEntry) throws(VolumeError) {
        guard entry.kind == .folder else {
            throw VolumeError(.notAFolder, "\(entry.name) is no folder")
        }
        guard try folder(entry.number).entryCount == 0 else {
            throw VolumeError(.notEmpty, "folder \(entry.name) is not empty")
        }
        try expectNoPages(entry.number)
    }

    /// Ends a folder that is empty and was taken out of its own.
    func removeFolder(_ number: InodeNumber, from parent: InodeNumber) throws(VolumeError) {
        try unlink(number)
        try countSubfolder(-1, in: parent)
    }

    /// A folder is a name of the folder that it is in: `..`.
    func countSubfolder(_ difference: Int32, in number: InodeNumber) throws(VolumeError) {
        var folder = try folder(number)
        if difference > 0 {
            try BranchFiles.countLink(&folder)
        } else {
            try folder.loseLink()
        }
        put(folder)
    }
}
