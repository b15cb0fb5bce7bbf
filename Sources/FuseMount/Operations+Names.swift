import CFuse
import Glibc
import Oxbow
import Primitives
import Volume

/// What the kernel asks of names.
extension Session {
    func lookUp(
        _ request: Request,
        _ folder: NodeID,
        _ raw: UnsafePointer<CChar>?
    ) throws(Refusal) {
        let name = try unsafe Self.name(raw)
        if folder == .top {
            let tree = try trees.tree(named: name.description)
            // Not to be kept: tomorrow the name may lead to another timeline.
            return try reply(request, counted: tree, .root, seconds: 0)
        }
        let tree = try trees.tree(folder)
        let number = try volume { () throws(VolumeError) in
            try tree.files.lookUp(name, in: folder.number)
        }
        try reply(request, tree, number)
    }

    /// The tree of a folder that names can be made in.
    private func writable(
        _ folder: NodeID
    ) throws(Refusal) -> (tree: MountedTree, files: BranchFiles) {
        // Branches are made and removed by other means.
        guard folder != .top else { throw Refusal(EPERM) }
        let tree = try trees.tree(folder)
        return (tree, try tree.writable())
    }

    func makeNode(
        _ request: Request,
        _ folder: NodeID,
        _ raw: UnsafePointer<CChar>?,
        mode: UInt32,
        device: UInt64
    ) throws(Refusal) {
        let (tree, files) = try writable(folder)
        let name = try unsafe Self.name(raw)
        let kind = mode & S_IFMT == 0 ? .file : FileKind(mode: mode)
        guard let kind, kind != .folder, kind != .link else { throw Refusal(EINVAL) }
        let number = try volume { () throws(VolumeError) in
            try files.makeNode(
                name,
                in: folder.number,
                kind,
                request.ownership(mode),
                device: device
            )
        }
        try reply(request, tree, number)
    }

    func create(
        _ folder: NodeID,
        _ request: Request,
        _ raw: UnsafePointer<CChar>?,
        mode: UInt32,
        flags: Int32
    ) throws(Refusal) -> (entry: fuse_entry_param, open: OpenHandle) {
        let (tree, files) = try writable(folder)
        let name = try unsafe Self.name(raw)
        let (number, file) = try volume { () throws(VolumeError) in
            let number = try files.makeFile(name, in: folder.number, request.ownership(mode))
            return (number, try files.openFile(number))
        }
        let node = try tree.node(number)
        let attributes = try volume { () throws(VolumeError) in try files.attributes(of: number) }
        tree.count(number)
        let entry = Request.entry(node, attributes, seconds: Request.forever)
        return (entry, OpenHandle(tree, number, file, flags: flags))
    }

    func makeFolder(
        _ request: Request,
        _ folder: NodeID,
        _ raw: UnsafePointer<CChar>?,
        mode: UInt32
    ) throws(Refusal) {
        let (tree, files) = try writable(folder)
        let name = try unsafe Self.name(raw)
        let number = try volume { () throws(VolumeError) in
            try files.makeFolder(name, in: folder.number, request.ownership(mode))
        }
        try reply(request, tree, number)
    }

    func makeLink(
        _ request: Request,
        _ folder: NodeID,
        _ raw: UnsafePointer<CChar>?,
        to target: UnsafePointer<CChar>?
    ) throws(Refusal) {
        let (tree, files) = try writable(folder)
        let name = try unsafe Self.name(raw)
        guard let target = unsafe target else { throw Refusal(EINVAL) }
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: target, count: strlen(target)))
        let number = try volume { () throws(VolumeError) in
            try files.makeLink(name, in: folder.number, to: bytes, request.ownership(0o777))
        }
        try reply(request, tree, number)
    }

    func link(
        _ request: Request,
        _ node: NodeID,
        _ folder: NodeID,
        _ raw: UnsafePointer<CChar>?
    ) throws(Refusal) {
        let (tree, files) = try writable(folder)
        guard node.tree == folder.tree else { throw Refusal(EXDEV) }
        let name = try unsafe Self.name(raw)
        try volume { () throws(VolumeError) in
            try files.link(node.number, as: name, in: folder.number)
        }
        try reply(request, tree, node.number)
    }

    func remove(
        _ request: Request,
        _ folder: NodeID,
        _ raw: UnsafePointer<CChar>?,
        isFolder: Bool
    ) throws(Refusal) {
        let (tree, files) = try writable(folder)
        let name = try unsafe Self.name(raw)
        let gone = isFolder ? Self.subfolder(name, of: folder.number, files) : nil
        try volume { () throws(VolumeError) in
            if isFolder {
                try files.removeFolder(name, from: folder.number)
            } else {
                try files.remove(name, from: folder.number)
            }
        }
        if let gone { tree.wasRemoved(gone) }
        request.done()
    }

    /// A folder that is about to lose its name.
    private static func subfolder(
        _ name: FileName,
        of folder: InodeNumber,
        _ files: BranchFiles
    ) -> (number: InodeNumber, attributes: Attributes)? {
        guard let number = try? files.lookUp(name, in: folder),
            let attributes = try? files.attributes(of: number), attributes.kind == .folder
        else { return nil }
        return (number, attributes)
    }

    func rename(
        _ request: Request,
        _ folder: NodeID,
        _ raw: UnsafePointer<CChar>?,
        to newFolder: NodeID,
        _ newRaw: UnsafePointer<CChar>?,
        flags: UInt32
    ) throws(Refusal) {
        let (tree, files) = try writable(folder)
        guard folder.tree == newFolder.tree else { throw Refusal(EXDEV) }
        let mode: RenameMode
        switch flags {
        case 0: mode = .replace
        case UInt32(RENAME_NOREPLACE): mode = .expectFree
        case UInt32(RENAME_EXCHANGE): mode = .exchange
        default: throw Refusal(EINVAL)
        }
        let name = try unsafe Self.name(raw)
        let newName = try unsafe Self.name(newRaw)
        // An empty one makes room for a folder.
        let old = mode == .replace ? Self.subfolder(newName, of: newFolder.number, files) : nil
        try volume { () throws(VolumeError) in
            try files.rename(name, in: folder.number, to: newName, in: newFolder.number, mode)
        }
        if let old, (try? files.attributes(of: old.number)) == nil { tree.wasRemoved(old) }
        request.done()
    }
}

extension Request {
    /// What is made belongs to who asks for it.
    func ownership(_ mode: UInt32) -> Ownership {
        Ownership(
            permissions: UInt16(mode & 0o7777),
            owner: owner.user,
            group: owner.group
        )
    }
}
