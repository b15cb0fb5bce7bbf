import Glibc
import Oxbow
import Primitives
import Volume

/// The files of a branch, or of a moment of one, as the kernel knows them.
///
/// Lives as long as the kernel knows any file in it. Bound to a timeline: what a branch shows after
/// a reset is another tree, with other numbers.
// Safe to share: what changes is guarded by the lock named beside it.
final class MountedTree: @unchecked Sendable {
    enum Content: Sendable {
        case branch(BranchFiles)
        case past(PastFiles)
    }

    let index: UInt64
    let content: Content

    private let lock = Lock()
    /// Guarded by `lock`: how often the kernel was told of each file and has not forgotten it.
    private var lookups: [InodeNumber: UInt64] = [:]
    /// Guarded by `lock`: of files that are open, or that the kernel has an old copy of.
    private var uses: [InodeNumber: FileUse] = [:]
    /// Guarded by `lock`: folders that were removed while the kernel knew them, as they were. Who
    /// has one open still asks for it.
    private var removed: [InodeNumber: Attributes] = [:]
    /// Guarded by `lock`: the names at the top that led to it.
    private var names: Set<String> = []

    init(index: UInt64, _ content: Content) {
        self.index = index
        self.content = content
    }

    var files: any FileTree {
        switch content {
        case .branch(let files): files
        case .past(let files): files
        }
    }

    /// The files, where they can be changed.
    func writable() throws(Refusal) -> BranchFiles {
        switch content {
        case .branch(let files): return files
        case .past: throw Refusal(EROFS)
        }
    }

    func node(_ number: InodeNumber) throws(Refusal) -> NodeID {
        guard number.rawValue < 1 << NodeID.numberBits else { throw Refusal(EOVERFLOW) }
        return NodeID(tree: index, number)
    }

    func count(_ number: InodeNumber) { lock.withLock { lookups[number, default: 0] += 1 } }

    /// Returns whether the kernel knows nothing of the tree any more.
    func forget(_ number: InodeNumber, _ count: UInt64) -> Bool {
        lock.withLock {
            let left = lookups[number, default: 0]
            lookups[number] = left > count ? left - count : nil
            if lookups[number] == nil { removed[number] = nil }
            if lookups[number] == nil, uses[number]?.isUnused == true { uses[number] = nil }
            return lookups.isEmpty
        }
    }

    /// Takes note that a folder has no name any more.
    func wasRemoved(_ folder: (number: InodeNumber, attributes: Attributes)) {
        lock.withLock {
            guard lookups[folder.number] != nil else { return }
            removed[folder.number] = folder.attributes
            removed[folder.number]?.linkCount = 0
        }
    }

    func removedFolder(_ number: InodeNumber) -> Attributes? { lock.withLock { removed[number] } }

    /// Takes note that a file is opened.
    func open(_ number: InodeNumber, syncsWrites: Bool) -> FileUse.Cache {
        lock.withLock { uses[number, default: FileUse()].open(syncsWrites: syncsWrites) }
    }

    /// Takes note that a file is not open any more as it was.
    func close(_ number: InodeNumber, _ cache: FileUse.Cache) {
        lock.withLock {
            uses[number]?.close(cache)
            if uses[number]?.isForgettable == true { uses[number] = nil }
        }
    }

    func wasFound(as name: String) { _ = lock.withLock { names.insert(name) } }

    /// The names at the top that led to it, where the kernel may still have it.
    var namesAtTop: [FileName] { lock.withLock { names }.compactMap { try? FileName($0) } }

    /// All that the kernel knows of the tree.
    var known: [InodeNumber] { lock.withLock { Array(lookups.keys) } }

    /// Whether the branch has left what the tree shows.
    var isStale: Bool {
        do throws(VolumeError) {
            _ = try files.attributes(of: .root)
            return false
        } catch { return error.kind == .stale }
    }
}
