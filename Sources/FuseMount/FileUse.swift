/// How a file is open, and what the kernel may keep of it.
///
/// Who opens a file such that each write is synced gets every write in one request, which is
/// answered when it is durable. The kernel then keeps nothing of the file, so nobody else may have
/// it open in the other way: what the kernel kept for them would be what was there before.
struct FileUse {
    private var keepingCount = 0
    private var directCount = 0
    /// Whether what the kernel kept of it was changed without its knowledge.
    private var isOutdated = false

    /// What the kernel is told of its own copy of a file.
    enum Cache {
        /// Use it, and keep what you have.
        case kept
        /// Use it, and begin anew.
        case renewed
        /// Come each time.
        case none
    }

    var isUnused: Bool { keepingCount == 0 && directCount == 0 }
    /// Whether nothing need be known of it.
    var isForgettable: Bool { isUnused && !isOutdated }

    mutating func open(syncsWrites: Bool) -> Cache {
        if directCount > 0 || syncsWrites && keepingCount == 0 {
            directCount += 1
            isOutdated = true
            return .none
        }
        keepingCount += 1
        defer { isOutdated = false }
        return isOutdated ? .renewed : .kept
    }

    mutating func close(_ cache: Cache) {
        switch cache {
        case .none: directCount -= 1
        case .kept, .renewed: keepingCount -= 1
        }
    }
}
