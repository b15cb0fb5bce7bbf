import Glibc
import Oxbow
import Primitives
import Volume

/// The trees that the kernel knows something of.
///
/// What a name at the top leads to is looked up each time, so branches are there as they are made
/// and gone as they go.
// Safe to share: what changes is guarded by `lock`.
final class TreeTable: @unchecked Sendable {
    private let store: Store
    private let lock = Lock()
    private var trees: [UInt64: MountedTree] = [:]
    private var indexes: [Key: UInt64] = [:]
    private var next: UInt64 = 1

    /// What leads to the same tree.
    private enum Key: Hashable {
        case branch(ObjectIdentifier)
        case past(BranchID, LSN)
        case snapshot(String)
    }

    init(_ store: Store) { self.store = store }

    func tree(_ node: NodeID) throws(Refusal) -> MountedTree {
        guard let tree = lock.withLock({ trees[node.tree] }) else { throw Refusal(ESTALE) }
        return tree
    }

    var all: [MountedTree] { lock.withLock { trees.values.sorted { $0.index < $1.index } } }

    /// What a name at the top leads to: `main`, or `main@10m`. Its root is counted as known, so
    /// that the tree stays; who does not tell the kernel of it calls ``forget(_:_:_:)``.
    func tree(named name: String) throws(Refusal) -> MountedTree {
        let tree = try find(named: name)
        tree.wasFound(as: name)
        return tree
    }

    private func find(named name: String) throws(Refusal) -> MountedTree {
        let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let branch = try engine { () throws(OxbowError) in try store.branch(String(parts[0])) }
        if parts.count == 2 { return try tree(of: branch, at: String(parts[1])) }
        let files = try volume { () throws(VolumeError) in try BranchFiles.open(branch) }
        return try tree(.branch(ObjectIdentifier(files)), .branch(files))
    }

    private func tree(of branch: Branch, at moment: String) throws(Refusal) -> MountedTree {
        let point = try engine { () throws(OxbowError) in
            try branch.point(at: Moment(parsing: moment))
        }
        let key: Key =
            switch point.requested {
            case .snapshot(let name): .snapshot(name)
            default: .past(branch.id, point.lsn)
            }
        if let tree = lock.withLock({ known(key) }) { return tree }
        let view = try engine { () throws(OxbowError) in try branch.view(at: point) }
        let files = try volume { () throws(VolumeError) in try PastFiles(view) }
        return try tree(key, .past(files))
    }

    /// Call with `lock` held.
    private func known(_ key: Key) -> MountedTree? {
        let tree = indexes[key].flatMap { trees[$0] }
        tree?.count(.root)
        return tree
    }

    private func tree(
        _ key: Key,
        _ content: MountedTree.Content
    ) throws(Refusal) -> MountedTree {
        try lock.withLock { () throws(Refusal) in
            if let tree = known(key) { return tree }
            guard next < NodeID.treeLimit else { throw Refusal(ENFILE) }
            let tree = MountedTree(index: next, content)
            tree.count(.root)
            trees[next] = tree
            indexes[key] = next
            next += 1
            return tree
        }
    }

    /// The kernel knows a file so many times less; a tree that it knows nothing of goes.
    func forget(_ tree: MountedTree, _ number: InodeNumber, _ count: UInt64 = 1) {
        lock.withLock {
            guard tree.forget(number, count) else { return }
            trees[tree.index] = nil
            indexes = indexes.filter { $0.value != tree.index }
        }
    }

    /// Runs what the engine can fail at.
    private func engine<Result>(
        _ body: () throws(OxbowError) -> Result
    ) throws(Refusal) -> Result {
        do throws(OxbowError) { return try body() } catch {
            switch error.kind {
            case .notFound, .invalid: throw Refusal(ENOENT)
            case .full: throw Refusal(ENOSPC)
            default: throw Refusal(EIO)
            }
        }
    }
}
