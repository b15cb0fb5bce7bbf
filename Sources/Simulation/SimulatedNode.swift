import Primitives

/// What names a file inside a simulated disk, whatever its name is by now.
struct FileNumber: Hashable, Sendable {
    let rawValue: Int
}

/// What was done to a file and is not durable yet.
enum FileChange: Sendable {
    case write(offset: Int, bytes: [UInt8])
    case resize(to: Int)
    case allocate(to: Int)
    /// What a write that the disk lost leaves: the file system knows the length, no byte came.
    case grow(to: Int)

    func apply(to content: inout FileContent) {
        switch self {
        case .write(let offset, let bytes): content.write(bytes, bytes.indices, at: offset)
        case .resize(let length): content.resize(to: length)
        case .allocate(let length): content.allocate(to: length)
        case .grow(let length): content.grow(to: length)
        }
    }

    var operation: DiskOperation {
        switch self {
        case .write, .grow: .write
        case .resize: .truncate
        case .allocate: .allocate
        }
    }
}

/// A file: what a crash leaves for certain, what reading shows, and what lies between them.
///
/// Law: without a failed sync or damage, `latest` is `durable` with all of `pending` done to it in
/// order.
struct SimulatedNode: Sendable {
    /// How many unsynced changes a file keeps apart. Past it the older half is written back, as a
    /// kernel does.
    static let pendingLimit = 4096
    /// How many overwritten stretches are remembered for stale reads.
    static let overwrittenLimit = 8

    /// The name that it has, or had last.
    private(set) var name: String
    private(set) var nameChecksum: UInt64
    var durable = FileContent()
    var latest = FileContent()
    var pending: [FileChange] = []
    var overwritten: [(offset: Int, bytes: [UInt8])] = []
    var handles = 0
    var isLinked = true

    init(name: String) {
        self.name = name
        nameChecksum = Checksum.of(Array(name.utf8))
    }

    mutating func take(name newName: String) {
        name = newName
        nameChecksum = Checksum.of(Array(newName.utf8))
    }

    mutating func change(_ change: FileChange) {
        change.apply(to: &latest)
        pending.append(change)
        guard pending.count > Self.pendingLimit else { return }
        let half = pending.count / 2
        for old in pending.prefix(half) { old.apply(to: &durable) }
        pending.removeFirst(half)
    }

    mutating func sync() {
        for change in pending { change.apply(to: &durable) }
        pending.removeAll(keepingCapacity: true)
    }

    mutating func showDurable() {
        // A sync that the disk ignored leaves changes that memory still holds.
        if pending.isEmpty { latest = durable }
    }

    /// Keeps what the range holds, for a stale read, before it is written over.
    mutating func remember(_ range: Range<Int>) {
        let bytes = latest.bytes(range)
        guard !bytes.isEmpty else { return }
        if overwritten.count == Self.overwrittenLimit { overwritten.removeFirst() }
        overwritten.append((range.lowerBound, bytes))
    }

    /// Changes the medium itself below both states. No length changes.
    mutating func damage(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        func put(_ content: inout FileContent) {
            let count = min(bytes.count, content.byteCount - offset)
            guard count > 0 else { return }
            unsafe content.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
        }
        put(&durable)
        put(&latest)
    }

    /// Whether an unsynced write lies over a part of the range.
    func isPending(_ range: Range<Int>) -> Bool {
        pending.contains { change in
            switch change {
            case .write(let offset, let bytes): range.overlaps(offset..<offset + bytes.count)
            case .resize(let length): range.upperBound > length
            case .allocate, .grow: false
            }
        }
    }
}
