import Primitives

// Safe to share: what changes is guarded by the lock.
/// The writes that changed a part of a page that was whole before.
final class CutWrites: @unchecked Sendable {
    private let lock = Lock()
    /// Guarded by `lock`, as what follows.
    private var count: UInt64 = 0
    private var files: Set<InodeNumber>? = []

    private static let fileCount = 64

    /// How many there were, and in which files; nil where those are too many.
    var all: (count: UInt64, files: Set<InodeNumber>?) { lock.withLock { (count, files) } }

    func note(_ file: InodeNumber) {
        lock.withLock {
            count += 1
            files?.insert(file)
            if let noted = files, noted.count > Self.fileCount { files = nil }
        }
    }

    func forgive(_ some: Set<InodeNumber>) { lock.withLock { files?.subtract(some) } }
}
