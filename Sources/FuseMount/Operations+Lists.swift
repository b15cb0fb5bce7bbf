import CFuse
import Glibc
import Oxbow
import Primitives
import Volume

/// Lists of folders.
extension Session {
    /// The list in parts of at most `size` bytes: those behind `offset`. Names alone: to tell of
    /// each file what a look-up would costs a start of PostgreSQL 10 ms, since it reads all its
    /// folders and looks up few of their files.
    func list(
        _ request: Request,
        _ node: NodeID,
        _ size: Int,
        behind offset: Int
    ) throws(Refusal) {
        var part = ListPart(request, size)
        defer { part.free() }
        if node == .top {
            try listTop(&part, behind: offset)
        } else {
            try list(trees.tree(node), node, &part, behind: offset)
        }
        part.reply()
    }

    /// A cursor of a volume and the two entries before all others.
    private static let dots = 2

    private func list(
        _ tree: MountedTree,
        _ node: NodeID,
        _ part: inout ListPart,
        behind offset: Int
    ) throws(Refusal) {
        let parent = try volume { () throws(VolumeError) in
            try tree.files.parent(of: node.number)
        }
        let above = node.number == .root ? NodeID.top : try tree.node(parent)
        if offset < 1, !part.add(dots: ".", node, next: 1) { return }
        if offset < 2, !part.add(dots: "..", above, next: 2) { return }
        let cursor = FolderCursor(rawValue: UInt64(max(0, offset - Self.dots)))
        var refusal: Refusal?
        try volume { () throws(VolumeError) in
            try tree.files.visitEntries(of: node.number, from: cursor) { entry, next in
                do throws(Refusal) {
                    let position = Int(next.rawValue) + Self.dots
                    return try part.add(entry, tree, next: position)
                } catch {
                    refusal = error
                    return false
                }
            }
        }
        if let refusal { throw refusal }
    }

    private func listTop(_ part: inout ListPart, behind offset: Int) throws(Refusal) {
        if offset < 1, !part.add(dots: ".", .top, next: 1) { return }
        if offset < 2, !part.add(dots: "..", .top, next: 2) { return }
        guard let branches = try? store.branches() else { throw Refusal(EIO) }
        let behind = UInt64(max(0, offset - Self.dots))
        for branch in branches.sorted(by: { $0.id.rawValue < $1.id.rawValue })
        where branch.id.rawValue > behind {
            // A branch that holds no files is there, and empty.
            guard let tree = try? trees.tree(named: branch.name) else { continue }
            // Looking it up has counted it, and a list tells of no more than its name.
            defer { trees.forget(tree, .root) }
            let position = Int(branch.id.rawValue) + Self.dots
            if try !part.add(top: branch.name, tree, next: position) { return }
        }
    }
}

/// A part of a folder's list, in the kernel's form.
@safe
struct ListPart {
    private let request: Request
    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0

    init(_ request: Request, _ size: Int) {
        self.request = request
        unsafe buffer = .allocate(byteCount: size, alignment: 16)
    }

    func free() { unsafe buffer.deallocate() }

    func reply() {
        let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        _ = unsafe fuse_reply_buf(request.raw, start, used)
    }

    /// Adds `.` or `..`, of which the kernel keeps nothing.
    mutating func add(dots name: String, _ node: NodeID, next: Int) -> Bool {
        var attributes = stat()
        attributes.st_ino = UInt(node.rawValue)
        attributes.st_mode = S_IFDIR
        return add(Array(name.utf8), &attributes, next)
    }

    /// Adds an entry; false where it does not fit.
    mutating func add(
        _ listing: Listing,
        _ tree: MountedTree,
        next: Int
    ) throws(Refusal) -> Bool {
        try add(listing.name.bytes, tree, listing.number, listing.kind, next)
    }

    mutating func add(
        top name: String,
        _ tree: MountedTree,
        next: Int
    ) throws(Refusal) -> Bool {
        try add(Array(name.utf8), tree, .root, .folder, next)
    }

    private mutating func add(
        _ name: [UInt8],
        _ tree: MountedTree,
        _ number: InodeNumber,
        _ kind: FileKind,
        _ next: Int
    ) throws(Refusal) -> Bool {
        var attributes = stat()
        attributes.st_ino = UInt(try tree.node(number).rawValue)
        attributes.st_mode = kind.modeBits
        return add(name, &attributes, next)
    }

    private mutating func add(_ name: [UInt8], _ attributes: inout stat, _ next: Int) -> Bool {
        let text = (name + [0]).map { CChar(bitPattern: $0) }
        let room = unsafe buffer.count - used
        let needed = unsafe text.withUnsafeBufferPointer { text in
            let place = unsafe buffer.baseAddress?.advanced(by: used)
                .assumingMemoryBound(to: CChar.self)
            return unsafe fuse_add_direntry(
                request.raw,
                place,
                room,
                text.baseAddress,
                &attributes,
                next
            )
        }
        guard needed <= room else { return false }
        used += needed
        return true
    }
}
