import Oxbow

extension BranchFiles {
    /// Makes an empty file.
    @discardableResult
    public func makeFile(
        _ name: FileName,
        in folder: InodeNumber,
        _ ownership: Ownership
    ) throws(VolumeError) -> InodeNumber {
        try makeNode(name, in: folder, .file, ownership)
    }

    /// Makes a file of any kind but a folder or a link.
    @discardableResult
    public func makeNode(
        _ name: FileName,
        in folder: InodeNumber,
        _ kind: FileKind,
        _ ownership: Ownership,
        device: UInt64 = 0
    ) throws(VolumeError) -> InodeNumber {
        guard kind != .folder, kind != .link else {
            throw VolumeError(.invalid, "\(name): a folder or a link is made otherwise")
        }
        return try make(name, in: folder, kind, ownership) { _, inode throws(VolumeError) in
            inode.attributes.device = device
        }
    }

    /// Makes an empty folder.
    @discardableResult
    public func makeFolder(
        _ name: FileName,
        in folder: InodeNumber,
        _ ownership: Ownership
    ) throws(VolumeError) -> InodeNumber {
        try make(name, in: folder, .folder, ownership) { change, inode throws(VolumeError) in
            inode.attributes.linkCount = 2
            inode.parent = folder
            var parent = try change.folder(folder)
            try Self.countLink(&parent)
            change.put(parent)
        }
    }

    /// Makes a symbolic link that holds `target`, whatever that means.
    @discardableResult
    public func makeLink(
        _ name: FileName,
        in folder: InodeNumber,
        to target: [UInt8],
        _ ownership: Ownership
    ) throws(VolumeError) -> InodeNumber {
        guard !target.isEmpty, !target.contains(0) else {
            throw VolumeError(.invalid, "\(name): a link to nothing")
        }
        guard target.count <= VolumeLimits.targetBytes else {
            throw VolumeError(
                .nameTooLong,
                "\(name): a target of \(target.count) bytes: the longest has "
                    + "\(VolumeLimits.targetBytes)"
            )
        }
        return try make(name, in: folder, .link, ownership) { _, inode throws(VolumeError) in
            inode.target = target
        }
    }

    /// Gives a file another name.
    public func link(
        _ number: InodeNumber,
        as name: FileName,
        in folder: InodeNumber
    ) throws(VolumeError) {
        try changeTree { change throws(VolumeError) in
            var inode = try change.inode(number)
            guard inode.kind != .folder else {
                throw VolumeError(.isAFolder, "inode \(number) is a folder: it has one name")
            }
            // A file that lost its last name is on its way out.
            guard inode.attributes.linkCount > 0 else {
                throw VolumeError(.notFound, "inode \(number) has no name any more")
            }
            try Self.expectFree(name, in: folder, change)
            try Self.countLink(&inode)
            inode.attributes.changed = change.time
            change.put(inode)
            try change.add(name, inode, to: folder)
        }
    }

    private func make(
        _ name: FileName,
        in folder: InodeNumber,
        _ kind: FileKind,
        _ ownership: Ownership,
        _ body: (TreeChange, inout Inode) throws(VolumeError) -> Void
    ) throws(VolumeError) -> InodeNumber {
        try changeTree { change throws(VolumeError) in
            let parent = try change.folder(folder)
            try Self.expectFree(name, in: folder, change)
            var attributes = Attributes(
                kind: kind,
                permissions: ownership.permissions,
                owner: ownership.owner,
                group: ownership.group,
                time: change.time
            )
            if parent.attributes.permissions & Self.handsOnGroup != 0 {
                attributes.group = parent.attributes.group
                if kind == .folder { attributes.permissions |= Self.handsOnGroup }
            }
            var inode = try change.makeInode(attributes)
            try body(change, &inode)
            change.put(inode)
            try change.add(name, inode, to: folder)
            return inode.number
        }
    }

    /// The set-group-ID bit: what is made in such a folder belongs to the folder's group.
    private static var handsOnGroup: UInt16 { 0o2000 }

    private static func expectFree(
        _ name: FileName,
        in folder: InodeNumber,
        _ change: TreeChange
    ) throws(VolumeError) {
        _ = try change.folder(folder)
        if try change.entry(name, in: folder) != nil {
            throw VolumeError(.exists, "\(name) is in folder \(folder) already")
        }
    }

    static func countLink(_ inode: inout Inode) throws(VolumeError) {
        guard inode.attributes.linkCount < VolumeLimits.links else {
            throw VolumeError(
                .tooManyLinks,
                "inode \(inode.number) has \(VolumeLimits.links) links, and cannot have more"
            )
        }
        inode.attributes.linkCount += 1
    }
}
