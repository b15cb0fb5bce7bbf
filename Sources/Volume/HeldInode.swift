import Primitives

/// An inode that somebody works with or has open: all who do share this one.
///
/// Laws:
/// 1. `lock` guards the fields below it. Who changes the tree takes several, with the volume's
///    `treeLock` held; everybody else takes one at a time.
/// 2. What is here and not on its page are times alone, and they are written before the last
///    one lets go.
// Safe to share: fields that change are guarded by the lock named beside them.
final class HeldInode: @unchecked Sendable {
    let number: InodeNumber
    /// Guarded by the table's lock.
    fileprivate var holders = 0

    let lock = Lock()
    /// Nil until somebody needs it, and again when it is gone.
    var inode: Inode?
    /// How many have it open: for those, content lives on without a name.
    var openCount = 0
    /// Whether times are newer here than on the page.
    var isDirty = false

    init(_ number: InodeNumber) { self.number = number }
}

/// The inodes in use: as many as are open or being worked with.
// Safe to share: what changes is guarded by `lock`.
final class InodeTable: @unchecked Sendable {
    private let lock = Lock()
    private var held: [InodeNumber: HeldInode] = [:]

    func hold(_ number: InodeNumber) -> HeldInode {
        lock.withLock {
            let found = held[number] ?? HeldInode(number)
            held[number] = found
            found.holders += 1
            return found
        }
    }

    /// Lets go. Returns false, with the inode still held, where the last one who does has times
    /// to write first.
    func release(_ inode: HeldInode) -> Bool {
        lock.withLock {
            invariant(inode.holders > 0, "inode \(inode.number) released twice")
            // Nobody else has it, so nobody else writes to the flag.
            if inode.holders == 1, inode.isDirty { return false }
            inode.holders -= 1
            if inode.holders == 0 { held[inode.number] = nil }
            return true
        }
    }

    /// All that are held now, in the order of their numbers; to be released.
    func holdAll() -> [HeldInode] {
        lock.withLock {
            let all = held.values.sorted { $0.number < $1.number }
            for inode in all { inode.holders += 1 }
            return all
        }
    }
}
