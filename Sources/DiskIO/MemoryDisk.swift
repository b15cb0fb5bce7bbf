import Primitives

/// A folder in memory, for stores that end with the program. Bounded: past its limit it is full.
// Safe to share: all state is guarded by `lock`.
package final class MemoryDisk: Disk, @unchecked Sendable {
    package let place = "memory"
    private let space: Space
    private let lock = Lock()
    private var files: [String: MemoryFile] = [:]

    package init(limit: UInt64) { space = Space(limit: limit) }

    package func open(_ name: String) throws(DiskError) -> any File {
        guard let file = lock.withLock({ files[name] }) else {
            throw .notFound(operation: "open \(name)")
        }
        return file
    }

    package func create(_ name: String) throws(DiskError) -> any File {
        lock.lock()
        defer { lock.unlock() }
        if files[name] != nil { throw .exists(operation: "create \(name)") }
        let file = MemoryFile(space: space)
        files[name] = file
        return file
    }

    package func list() throws(DiskError) -> [String] { lock.withLock { Array(files.keys) } }

    package func remove(_ name: String) throws(DiskError) {
        let file = lock.withLock { files.removeValue(forKey: name) }
        if file == nil { throw .notFound(operation: "remove \(name)") }
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        lock.lock()
        let file = files.removeValue(forKey: name)
        let replaced = file.flatMap { files.updateValue($0, forKey: newName) }
        lock.unlock()
        // A large file takes a while to go: outside the lock.
        withExtendedLifetime(replaced) {}
        if file == nil { throw .notFound(operation: "rename \(name)") }
    }

    package func syncFolder() throws(DiskError) {}

    package func availableBytes() throws(DiskError) -> UInt64 { space.available }

    package func totalBytes() throws(DiskError) -> UInt64 { space.limit }
}

/// What the files of one disk share. They hold this and not the disk, which holds them: otherwise
/// neither would ever end.
// Safe to share: `used` is guarded by `lock`.
private final class Space: @unchecked Sendable {
    let limit: UInt64
    private let lock = Lock()
    private var used: UInt64 = 0

    init(limit: UInt64) { self.limit = limit }

    var available: UInt64 { lock.withLock { limit - used } }

    func take(_ bytes: UInt64) throws(DiskError) {
        lock.lock()
        defer { lock.unlock() }
        guard bytes <= limit - used else { throw .full(operation: "grow a file in memory") }
        used += bytes
    }

    func give(_ bytes: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        invariant(bytes <= used, "\(bytes) bytes given back of \(used)")
        used -= bytes
    }
}

// Safe to share: all state is guarded by `lock`, which is taken before the space's.
private final class MemoryFile: File, @unchecked Sendable {
    /// Space is taken in blocks, so that a sparse or growing file costs what it holds.
    static let blockSize = 4096
    /// The longest file, holes included: a real disk's limit at most.
    static let lengthLimit = UInt64(Int64.max)

    private let space: Space
    private let lock = Lock()
    private var blocks: [UInt64: [UInt8]] = [:]
    /// The blocks below this number are paid for, written or not; above it, those written are.
    private var reserved: UInt64 = 0
    private var byteCount: UInt64 = 0

    init(space: Space) { self.space = space }

    deinit { space.give(held) }

    /// How many bytes of the disk the file takes.
    private var held: UInt64 {
        let above = blocks.keys.count { $0 >= reserved }
        return (reserved + UInt64(above)) * UInt64(Self.blockSize)
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int {
        lock.lock()
        defer { lock.unlock() }
        guard offset < byteCount else { return 0 }
        let count = Int(min(UInt64(buffer.count), byteCount - offset))
        var done = 0
        while done < count {
            let (number, start, length) = Self.part(offset + UInt64(done), count - done)
            let target = unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[done..<done + length]
            )
            if let block = blocks[number] {
                unsafe block.withUnsafeBytes {
                    unsafe target.copyMemory(from: .init(rebasing: $0[start..<start + length]))
                }
            } else {
                unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            }
            done += length
        }
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        if bytes.count == 0 { return }
        lock.lock()
        defer { lock.unlock() }
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow, end <= Self.lengthLimit else {
            throw .full(operation: "write at \(offset) in memory")
        }
        try takeBlocks(from: offset, to: end)
        var done = 0
        while done < bytes.count {
            let (number, start, length) = Self.part(offset + UInt64(done), bytes.count - done)
            let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<done + length])
            unsafe blocks[number, default: Array(repeating: 0, count: Self.blockSize)]
                .withUnsafeMutableBytes {
                    unsafe UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + length])
                        .copyMemory(from: source)
                }
            done += length
        }
        byteCount = max(byteCount, end)
    }

    private static func part(_ offset: UInt64, _ count: Int) -> (UInt64, Int, Int) {
        let start = Int(offset % UInt64(blockSize))
        return (offset / UInt64(blockSize), start, min(count, blockSize - start))
    }

    /// Pays for the blocks that a write touches, all or none.
    private func takeBlocks(from offset: UInt64, to end: UInt64) throws(DiskError) {
        let size = UInt64(Self.blockSize)
        let first = offset / size
        let last = (end - 1) / size
        guard last >= reserved else { return }
        let new = (max(first, reserved)...last).count { blocks[$0] == nil }
        if new > 0 { try space.take(UInt64(new) * size) }
    }

    /// How many blocks that many bytes take.
    private static func blockCount(_ length: UInt64) -> UInt64 {
        let size = UInt64(blockSize)
        return length / size + (length % size == 0 ? 0 : 1)
    }

    func sync() throws(DiskError) {}
    func settle() throws(DiskError) {}

    func allocate(_ length: UInt64) throws(DiskError) {
        lock.lock()
        defer { lock.unlock() }
        guard length <= Self.lengthLimit else {
            throw .full(operation: "allocate \(length) bytes in memory")
        }
        let wanted = Self.blockCount(length)
        if wanted > reserved {
            let paid = blocks.keys.count { (reserved..<wanted).contains($0) }
            let missing = wanted - reserved - UInt64(paid)
            try space.take(missing * UInt64(Self.blockSize))
            reserved = wanted
        }
        byteCount = max(byteCount, length)
    }

    func truncate(to length: UInt64) throws(DiskError) {
        guard length <= Self.lengthLimit else {
            throw .full(operation: "extend a file in memory to \(length)")
        }
        lock.lock()
        defer { lock.unlock() }
        let before = held
        let kept = Self.blockCount(length)
        blocks = blocks.filter { $0.key < kept }
        reserved = min(reserved, kept)
        let start = Int(length % UInt64(Self.blockSize))
        if start != 0, let block = blocks[kept - 1] {
            blocks[kept - 1] =
                Array(block[..<start]) + Array(repeating: 0, count: Self.blockSize - start)
        }
        space.give(before - held)
        byteCount = length
    }

    func length() throws(DiskError) -> UInt64 { lock.withLock { byteCount } }

    func allocatedBytes() throws(DiskError) -> UInt64 { lock.withLock { held } }
}
