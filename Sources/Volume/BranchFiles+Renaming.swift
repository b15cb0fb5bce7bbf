import Oxbow

/// What to do where the new name is taken.
public enum RenameMode: Sendable {
    /// What has it loses it.
    case replace
    /// It is an error.
    case expectFree
    /// The two change places.
    case exchange
}

extension BranchFiles {
    /// Gives what has a name another one, in one step: nobody ever finds neither.
    public func rename(
        _ name: FileName,
        in folder: InodeNumber,
        to newName: FileName,
        in newFolder: InodeNumber,
        _ mode: RenameMode = .replace
    ) throws(VolumeError) {
        try changeTree { change throws(VolumeError) in
            _ = try change.folder(folder)
            _ = try change.folder(newFolder)
            let entry = try change.expectEntry(name, in: folder)
            try change.expectKind(entry)
            let other = try change.entry(newName, in: newFolder)
            if let other { try change.expectKind(other) }
            try change.expectOutside(newFolder, entry)
            switch (mode, other) {
            case (.exchange, nil):
                throw VolumeError(.notFound, "there is no \(newName) to change places with")
            case (.exchange, let other?):
                try change.expectOutside(folder, other)
                try change.exchange(entry, in: folder, other, in: newFolder)
            case (.expectFree, _?):
                throw VolumeError(.exists, "\(newName) is in folder \(newFolder) already")
            case (_, nil):
                try change.move(entry, from: folder, to: newName, in: newFolder)
            case (.replace, let other?):
                // Two names of one file: both stay.
                if other.number == entry.number { return }
                try change.replace(other, in: newFolder, by: entry, from: folder)
            }
        }
    }
}

extension TreeChange {
    /// A folder must not come to be inside of itself.
    fileprivate func expectOutside(
        _ folder: InodeNumber,
        _ entry: FolderEntry
    ) throws(VolumeError) {
        guard entry.kind == .folder else { return }
        var above = folder
        var passed: Set<InodeNumber> = []
        while true {
            guard passed.insert(above).inserted else {
                throw VolumeError(.damaged, "folder \(above) is inside of itself")
            }
            guard above != entry.number else {
                throw VolumeError(.invalid, "folder \(entry.name) cannot be inside of itself")
            }
            if above == .root { return }
            above = try self.folder(above).parent
        }
    }

    fileprivate func move(
        _ entry: FolderEntry,
        from folder: InodeNumber,
        to name: FileName,
        in newFolder: InodeNumber
    ) throws(VolumeError) {
        try remove(entry.name, from: folder)
        try add(name, inode(entry.number), to: newFolder)
        try settle(entry, from: folder, in: newFolder)
    }

    fileprivate func replace(
        _ other: FolderEntry,
        in newFolder: InodeNumber,
        by entry: FolderEntry,
        from folder: InodeNumber
    ) throws(VolumeError) {
        if entry.kind == .folder {
            try expectEmptyFolder(other)
        } else if other.kind == .folder {
            throw VolumeError(.isAFolder, "\(other.name) is a folder")
        }
        try remove(entry.name, from: folder)
        try replace(other.name, in: newFolder, by: inode(entry.number))
        if other.kind == .folder {
            try removeFolder(other.number, from: newFolder)
        } else {
            try unlink(other.number)
        }
        try settle(entry, from: folder, in: newFolder)
    }

    fileprivate func exchange(
        _ entry: FolderEntry,
        in folder: InodeNumber,
        _ other: FolderEntry,
        in newFolder: InodeNumber
    ) throws(VolumeError) {
        try replace(entry.name, in: folder, by: inode(other.number))
        try replace(other.name, in: newFolder, by: inode(entry.number))
        try settle(entry, from: folder, in: newFolder)
        try settle(other, from: newFolder, in: folder)
    }

    /// Tells what was moved, and the folders where that is one, of the move.
    private func settle(
        _ entry: FolderEntry,
        from folder: InodeNumber,
        in newFolder: InodeNumber
    ) throws(VolumeError) {
        var moved = try inode(entry.number)
        moved.attributes.changed = time
        if moved.kind == .folder, folder != newFolder {
            moved.parent = newFolder
            try countSubfolder(-1, in: folder)
            try countSubfolder(1, in: newFolder)
        }
        put(moved)
    }
}
