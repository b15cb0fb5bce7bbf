public import Oxbow
import Primitives

// Safe to share: fields that change are guarded by the lock named beside them.
/// The files of a branch: folders, files and links, kept in its pages, so that forking the branch
/// forks them all, and every moment of their history can be read.
///
///     let files = try BranchFiles.open(store.branch("main"))
///     let etc = try files.makeFolder("etc", in: .root, Ownership(permissions: 0o755))
///     let motd = try files.makeFile("motd", in: etc, Ownership(permissions: 0o644))
///     let file = try files.openFile(motd)
///     try file.write(Array("hello\n".utf8), at: 0)
///     try file.sync()
///
/// Each operation is one commit of the branch: after a crash it is there whole or not at all, and
/// with it everything before it. It is durable after ``OpenFile/sync()``, ``sync()`` or the
/// store's interval for buffered commits.
///
/// Bound to what the branch was when it was opened: once the branch is reset or deleted,
/// everything here fails as ``VolumeError/Kind/stale``. May be called from any thread.
public final class BranchFiles: ReadableTree, @unchecked Sendable {
    let line: Line
    let store: Store
    let pageSize: Int
    let seed: UInt64
    let table = InodeTable()
    let cutWrites = CutWrites()

    /// One change of names at a time. Taken before any inode's lock.
    let treeLock = Lock()
    /// Guarded by `treeLock`.
    var header: VolumeHeader
    /// Guarded by `treeLock`: the next inode gets this number.
    var nextInode: UInt64

    private init(_ line: Line, _ store: Store, _ header: VolumeHeader) {
        self.line = line
        self.store = store
        self.header = header
        pageSize = Int(header.pageSize)
        seed = header.seed
        nextInode = header.nextInode
    }

    /// How many writes have changed a part of a page that was whole before, since this was opened.
    ///
    /// A program that writes pages, and relies on each being written whole or not at all, can do
    /// so as long as this stays 0: a system may hand over a write of one page in several pieces.
    public var cutWriteCount: UInt64 { cutWrites.all.count }

    /// The files that were written so, but for those that are forgiven; nil where there are more
    /// than 64.
    public var cutFiles: Set<InodeNumber>? { cutWrites.all.files }

    /// Takes files out of ``cutFiles``, until they are written so again.
    public func forgiveCuts(in files: Set<InodeNumber>) { cutWrites.forgive(files) }

    /// Those in use, one for each timeline of a store in this process: two would not know of each
    /// other's open files.
    private static let known = Known()

    private struct Weak: Sendable { weak let files: BranchFiles? }

    // Safe to share: the rest is guarded by `lock`. No `Mutex`: ThreadSanitizer sees none.
    private final class Known: @unchecked Sendable {
        let lock = Lock()
        private var files: [Line.ID: Weak] = [:]
        /// With so many, those that are gone are taken out.
        private var fullCount = 64

        subscript(id: Line.ID) -> BranchFiles? { files[id]?.files }

        func add(_ new: BranchFiles, _ id: Line.ID) {
            if files.count >= fullCount {
                files = files.filter { $0.value.files != nil }
                fullCount = max(64, 2 * files.count)
            }
            files[id] = Weak(files: new)
        }
    }

    /// Opens the files of a branch; all who open the same get the same.
    ///
    /// - Parameter creating: Whether a branch whose pages were never written becomes a volume with
    ///   an empty root; otherwise that is an error of kind ``VolumeError/Kind/notFound``.
    public static func open(
        _ branch: Branch,
        creating: Bool = true
    ) throws(VolumeError) -> BranchFiles {
        let line = try engine { () throws(OxbowError) in try branch.line() }
        return try known.lock.withLock { () throws(VolumeError) in
            if let files = known[line.id] { return files }
            let files = try BranchFiles(opening: line, branch.store, creating)
            try files.reapOrphans()
            known.add(files, line.id)
            return files
        }
    }

    private convenience init(
        opening line: Line,
        _ store: Store,
        _ creating: Bool
    ) throws(VolumeError) {
        let pages = try engine { () throws(OxbowError) in try line.pages() }
        if let header = try VolumeReader.header(of: pages) {
            self.init(line, store, header)
            return
        }
        guard creating else {
            throw VolumeError(.notFound, "the branch holds no files yet")
        }
        let other = try engine { () throws(OxbowError) in
            try pages.firstObject(from: ObjectID(0))
        }
        if let other {
            throw VolumeError(
                .invalid,
                "the branch holds pages that are no files (object \(other)); use another branch"
            )
        }
        self.init(line, store, try Self.create(line, store))
    }

    private static func create(_ line: Line, _ store: Store) throws(VolumeError) -> VolumeHeader {
        guard store.pageSize >= VolumeLayout.minimumPageSize else {
            throw VolumeError(
                .invalid,
                "files need pages of at least \(VolumeLayout.minimumPageSize) bytes; this store "
                    + "has pages of \(store.pageSize)"
            )
        }
        let time = Int64(clamping: store.now)
        let header = VolumeHeader(pageSize: store.pageSize, seed: store.seed(), created: time)
        var root = Inode(
            .root,
            Attributes(kind: .folder, permissions: 0o755, owner: 0, group: 0, time: time)
        )
        root.attributes.linkCount = 2
        root.parent = .root
        try commit(line, pageSize: store.pageSize) { edit throws(VolumeError) in
            try edit.write(header.encoded(), page: 0, of: VolumeLayout.header)
            try edit.write(root)
        }
        return header
    }

    var time: Int64 { Int64(clamping: store.now) }

    func reader() throws(VolumeError) -> VolumeReader {
        let pages = try engine { () throws(OxbowError) in try line.pages() }
        return VolumeReader(pages, pageSize: pageSize, seed: seed)
    }

    /// Fails where the branch shows something else by now.
    func expectCurrent() throws(VolumeError) {
        try engine { () throws(OxbowError) in try line.expectCurrent() }
    }

    func current(_ number: InodeNumber) throws(VolumeError) -> Inode {
        // Of an open file it is in memory, whatever the branch shows by now.
        try expectCurrent()
        return try with(number) { held throws(VolumeError) in try load(held) }
    }

    /// Works with one inode, alone.
    func with<Result>(
        _ number: InodeNumber,
        _ body: (HeldInode) throws(VolumeError) -> Result
    ) throws(VolumeError) -> Result {
        let held = table.hold(number)
        defer { release(held) }
        held.lock.lock()
        defer { held.lock.unlock() }
        return try body(held)
    }

    /// The inode as it is now. Call with its lock held.
    func load(_ held: HeldInode) throws(VolumeError) -> Inode {
        if let inode = held.inode { return inode }
        guard let inode = try reader().inode(held.number) else {
            throw VolumeError(.notFound, "there is no inode \(held.number)")
        }
        held.inode = inode
        return inode
    }

    func release(_ held: HeldInode) {
        while !table.release(held) {
            held.lock.withLock {
                // Times alone are lost where the store fails, which whoever syncs is told.
                try? writeTimes(held)
                held.isDirty = false
            }
        }
    }

    /// Writes down the times that are newer in memory. Call with the inode's lock held.
    func writeTimes(_ held: HeldInode) throws(VolumeError) {
        guard held.isDirty, let inode = held.inode else { return }
        try commit { edit throws(VolumeError) in try edit.write(inode) }
        held.isDirty = false
    }

    /// Makes changes in one commit.
    func commit(_ body: (VolumeEdit) throws(VolumeError) -> Void) throws(VolumeError) {
        try Self.commit(line, pageSize: pageSize, body)
    }

    private static func commit(
        _ line: Line,
        pageSize: Int,
        _ body: (VolumeEdit) throws(VolumeError) -> Void
    ) throws(VolumeError) {
        try line.commit(translating: { VolumeError($0) }) { edit throws(VolumeError) in
            try body(VolumeEdit(edit: edit, pageSize: pageSize))
        }
    }

    /// Changes one inode, and what it holds, in one commit. Call with its lock held.
    func change(
        _ held: HeldInode,
        _ body: (inout Inode, VolumeEdit) throws(VolumeError) -> Void
    ) throws(VolumeError) {
        var inode = try load(held)
        inode.attributes.changed = time
        try commit { edit throws(VolumeError) in
            try body(&inode, edit)
            try checkSize(inode)
            try edit.write(inode)
        }
        held.inode = inode
        held.isDirty = false
    }

    /// Writes down what is newer in memory: the times of files that are open. To be called before
    /// the branch is forked, so that the fork has them.
    public func writeTimes() throws(VolumeError) {
        for held in table.holdAll() {
            defer { release(held) }
            held.lock.lock()
            defer { held.lock.unlock() }
            try writeTimes(held)
        }
    }

    /// Makes everything done so far durable.
    public func sync() throws(VolumeError) {
        try writeTimes()
        try engine { () throws(OxbowError) in
            try store.sync()
            try line.expectCurrent()
        }
    }
}
