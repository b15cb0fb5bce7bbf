import CFuse
import Glibc
public import Oxbow
import Primitives
import Synchronization
public import Volume

// Safe to share: fields that change are guarded by the lock named beside them; the session is the
// C library's, which allows to be told of changes, and to be ended, from any thread.
/// Branches as folders: `main/...`, and moments as read-only folders: `main@10m/...`.
///
///     let mount = try Mount(store, at: "/mnt/oxbow")
///     // ... /mnt/oxbow/main is the branch main
///     mount.end()
///
/// What processes write goes to the store as they write it, so the order of the log is theirs. What
/// they read the kernel keeps; it is told where a branch is reset or deleted.
@safe
public final class Mount: @unchecked Sendable {
    /// The folder.
    public let path: String
    private let session: Session
    private let raw: OpaquePointer
    private var threads: [WorkerThread] = []
    /// How many threads take requests.
    private let threadsAtWork = Atomic<Int>(0)
    private let lock = Lock()
    /// Guarded by `lock`.
    private var isEnded = false
    private let refreshLock = Lock()

    /// So many requests are worked on at once.
    private static var threadCount: Int { 16 }

    /// Shows all branches of a store in a folder, which must exist. A mount that a process left
    /// there that is no more is taken away first.
    public init(_ store: Store, at path: String) throws(MountError) {
        self.path = path
        try Self.expectFuse()
        try Self.clear(path)
        session = Session(store)
        let options =
            "fsname=oxbow,subtype=oxbow,default_permissions,nosuid,nodev,noatime"
            + (geteuid() == 0 ? ",allow_other" : "")
        unsafe raw = try Self.connect(session, options)
        guard unsafe fuse_session_mount(raw, path) == 0 else {
            unsafe fuse_session_destroy(raw)
            throw MountError(
                .failed,
                unsafe "mount \(path): the system refused (\(String(cString: strerror(errno))))"
            )
        }
        for _ in 0..<Self.threadCount {
            threadsAtWork.add(1, ordering: .relaxed)
            threads.append(WorkerThread { [self] in work() })
        }
        threads.append(WorkerThread { [self] in watch() })
    }

    private static func connect(
        _ session: Session,
        _ options: String
    ) throws(MountError) -> OpaquePointer {
        var callbacks = Session.callbacks
        let made = unsafe withArguments(["oxbow", "-o", options]) { arguments in
            unsafe fuse_session_new(
                arguments,
                &callbacks,
                MemoryLayout<fuse_lowlevel_ops>.size,
                // Kept until the mount ends.
                Unmanaged.passRetained(session).toOpaque()
            )
        }
        guard let made = unsafe made else {
            unsafe Unmanaged.passUnretained(session).release()
            throw MountError(.failed, "the FUSE library refused its options (\(options))")
        }
        return unsafe made
    }

    private static func withArguments<Result>(
        _ words: [String],
        _ body: (UnsafeMutablePointer<fuse_args>) -> Result
    ) -> Result {
        var arguments = unsafe fuse_args()
        defer { unsafe fuse_opt_free_args(&arguments) }
        for word in words { unsafe fuse_opt_add_arg(&arguments, word) }
        return unsafe body(&arguments)
    }

    /// Why nothing can be mounted here, and what would mend it; nil where it can.
    public static func obstacle() -> MountError? {
        do throws(MountError) { try expectFuse() } catch { return error }
        return nil
    }

    private static func expectFuse() throws(MountError) {
        let container = "in a container, start it with `--device /dev/fuse --cap-add SYS_ADMIN`"
        let device = unsafe open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else {
            let isMissing = errno == ENOENT || errno == ENXIO || errno == ENODEV
            throw MountError(
                .unavailable,
                isMissing
                    ? "there is no /dev/fuse: enable FUSE with `modprobe fuse` (\(container))"
                    : "/dev/fuse is not for this user: run as root, or `chmod 666 /dev/fuse` "
                        + "(\(container))"
            )
        }
        defer { close(device) }
        var status = stat()
        guard unsafe fstat(device, &status) == 0, oxbow_is_fuse(status.st_rdev) != 0 else {
            throw MountError(.unavailable, "/dev/fuse is not FUSE's device (\(container))")
        }
        guard oxbow_may_mount() != 0 else {
            throw MountError(.unavailable, "nobody may mount anything here (\(container))")
        }
    }

    /// Takes away a mount whose process is no more.
    package static func clear(_ path: String) throws(MountError) {
        // Not what the kernel may still know of it: what the process there says.
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            close(folder)
            return
        }
        guard errno == ENOTCONN else {
            throw MountError(
                .invalid,
                "\(path): \(unsafe String(cString: strerror(errno))); make the folder first"
            )
        }
        guard unsafe umount2(path, Int32(MNT_DETACH)) == 0 else {
            throw MountError(
                .failed,
                "\(path) is a mount of a process that is no more, and cannot be taken away: "
                    + "`fusermount3 -uz \(path)`"
            )
        }
    }

    // MARK: At work

    /// Takes requests one after the other.
    private func work() {
        defer { threadsAtWork.subtract(1, ordering: .releasing) }
        var buffer = unsafe fuse_buf()
        defer { unsafe free(buffer.mem) }
        while unsafe fuse_session_exited(raw) == 0 {
            let count = unsafe fuse_session_receive_buf(raw, &buffer)
            if count == -EINTR { continue }
            if count <= 0 { break }
            unsafe fuse_session_process_buf(raw, &buffer)
        }
        unsafe fuse_session_exit(raw)
    }

    /// Looks now and then for branches that went by themselves.
    private func watch() {
        lock.lock()
        while !isEnded {
            lock.wait(atMostMilliseconds: Self.watchMilliseconds)
            if isEnded { break }
            lock.unlock()
            refresh()
            lock.lock()
        }
        lock.unlock()
    }

    private static var watchMilliseconds: Int { 500 }

    /// Makes the kernel forget what it keeps of branches that were reset or deleted, so that
    /// whoever has a file of theirs open is told that it is stale. To be called after such a
    /// change, by a thread that does not work on a request; it happens by itself within a second.
    public func refresh() {
        refreshLock.lock()
        defer { refreshLock.unlock() }
        for tree in session.trees.all where tree.isStale {
            for number in tree.known {
                guard let node = try? tree.node(number) else { continue }
                _ = unsafe fuse_lowlevel_notify_inval_inode(raw, node.rawValue, 0, 0)
            }
            // The kernel keeps names, and with them files, until it wants the memory; and so long
            // the tree would stay here.
            for name in tree.namesAtTop { forgetEntry(name, in: .top) }
        }
    }

    private func forgetEntry(_ name: FileName, in folder: NodeID) {
        // The library sends the zero behind the name, too.
        unsafe (name.bytes + [0]).withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = unsafe fuse_lowlevel_notify_inval_entry(
                raw,
                folder.rawValue,
                start,
                name.bytes.count
            )
        }
    }

    /// Makes the kernel forget what it keeps of a file, which was changed by other means than
    /// through the mount.
    public func forget(_ number: InodeNumber, of files: BranchFiles) {
        for tree in session.trees.all {
            guard case .branch(let own) = tree.content, own === files,
                let node = try? tree.node(number)
            else { continue }
            _ = unsafe fuse_lowlevel_notify_inval_inode(raw, node.rawValue, 0, 0)
        }
    }

    /// Makes the kernel forget where a name in a folder leads, and what is in that folder, since
    /// both were changed by other means than through the mount. Not to be called by a thread that
    /// works on a request.
    public func forget(_ name: FileName, in folder: InodeNumber, of files: BranchFiles) {
        for tree in session.trees.all {
            guard case .branch(let own) = tree.content, own === files,
                let node = try? tree.node(folder)
            else { continue }
            forgetEntry(name, in: node)
            _ = unsafe fuse_lowlevel_notify_inval_inode(raw, node.rawValue, 0, 0)
        }
    }

    /// How many trees the kernel may keep something of: branches as they are or were, and moments.
    package var treeCount: Int { session.trees.all.count }

    /// Whether the kernel may keep something of a branch's files, and so has to be told of what is
    /// changed there otherwise than through the mount.
    public func knows(_ files: BranchFiles) -> Bool {
        session.trees.all.contains { tree in
            if case .branch(let own) = tree.content { own === files } else { false }
        }
    }

    /// Whether the folder shows the branches; no more once somebody has unmounted it.
    public var isActive: Bool { unsafe fuse_session_exited(raw) == 0 }

    /// What processes changed in mapped files is with the kernel until it is asked for.
    private func writeMapped() {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        syncfs(folder)
    }

    /// Ends the mount: what was written is durable, and the folder is empty again. Processes that
    /// have files open there get errors from then on.
    public func end() {
        let isFirst = lock.withLock { () -> Bool in
            defer { isEnded = true }
            lock.wakeAll()
            return !isEnded
        }
        guard isFirst else { return }
        if isActive { writeMapped() }
        unsafe fuse_session_exit(raw)
        unsafe fuse_session_unmount(raw)
        // Where another process has a copy of the system's mounts, ours is still there, and a
        // thread that waits for a request waits on.
        while threadsAtWork.load(ordering: .acquiring) > 0 {
            for thread in threads { thread.interrupt() }
            usleep(2_000)
        }
        for thread in threads { thread.join() }
        session.letGoOfAll()
        for tree in session.trees.all {
            if case .branch(let files) = tree.content { try? files.writeTimes() }
        }
        try? session.store.sync()
        unsafe fuse_session_destroy(raw)
        unsafe Unmanaged.passUnretained(session).release()
    }
}
