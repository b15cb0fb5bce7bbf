import Primitives

/// A folder in memory, for stores that end with the program. Bounded: past its limit it is full.
// Safe to share: all state is guarded by `lock`.
package final class MemoryDisk: Disk, @unchecked Sendable {
    package let place = "memory"
    private let limit: UInt64
    private let lock = Lock()
    private var files: [String: MemoryFile] = [:]
    private var used: UInt64 = 0

    package init(limit: UInt64) { self.limit = limit }

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
        let file = MemoryFile(disk: self)
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
        // Ends here, outside the lock that its end takes.
        withExtendedLifetime(replaced) {}
        if file == nil { throw .notFound(operation: "rename \(name)") }
    }

    package func syncFolder() throws(DiskError) {}

    package func availableBytes() throws(DiskError) -> UInt64 {
        lock.withLock { limit > used ? limit - used : 0 }
    }

    package func totalBytes() throws(DiskError) -> UInt64 { limit }

    fileprivate func take(_ bytes: UInt64) throws(DiskError) {
        lock.lock()
        defer { lock.unlock() }
        guard used + bytes <= limit else { throw .full(operation: "grow a file in memory") }
        used += bytes
    }

    fileprivate func give(_ bytes: UInt64) { lock.withLock { used -= bytes } }
}

// Safe to share: all state is guarded by `lock`.
private final class MemoryFile: File, @unchecked Sendable {
    /// Space is taken in blocks, so that a sparse or growing file costs what it holds.
    static let blockSize = 65_536

    private let disk: MemoryDisk
    private let lock = Lock()
    private var blocks: [UInt64: [UInt8]] = [:]
    private var reserved: UInt64 = 0
    private var byteCount: UInt64 = 0

    init(disk: MemoryDisk) { self.disk = disk }

    deinit { disk.give(reserved) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int {
        lock.lock()
        defer { lock.unlock() }
        guard offset < byteCount else { return 0 }
        let count = min(buffer.count, Int(byteCount - offset))
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
        lock.lock()
        defer { lock.unlock() }
        try reserve(offset + UInt64(bytes.count))
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
        byteCount = max(byteCount, offset + UInt64(bytes.count))
    }

    private static func part(_ offset: UInt64, _ count: Int) -> (UInt64, Int, Int) {
        let start = Int(offset % UInt64(blockSize))
        return (offset / UInt64(blockSize), start, min(count, blockSize - start))
    }

    private func reserve(_ length: UInt64) throws(DiskError) {
        let size = UInt64(Self.blockSize)
        let wanted = (length + size - 1) / size * size
        guard wanted > reserved else { return }
        try disk.take(wanted - reserved)
        reserved = wanted
    }

    func sync() throws(DiskError) {}

    func allocate(_ length: UInt64) throws(DiskError) {
        lock.lock()
        defer { lock.unlock() }
        try reserve(length)
        byteCount = max(byteCount, length)
    }

    func truncate(to length: UInt64) throws(DiskError) {
        lock.lock()
        defer { lock.unlock() }
        let size = UInt64(Self.blockSize)
        let kept = (length + size - 1) / size
        blocks = blocks.filter { $0.key < kept }
        if length % size != 0, let block = blocks[length / size] {
            let start = Int(length % size)
            blocks[length / size] =
                Array(block[..<start]) + Array(repeating: 0, count: Self.blockSize - start)
        }
        if kept * size < reserved {
            disk.give(reserved - kept * size)
            reserved = kept * size
        }
        byteCount = length
    }

    func length() throws(DiskError) -> UInt64 { lock.withLock { byteCount } }

    func allocatedBytes() throws(DiskError) -> UInt64 { lock.withLock { reserved } }
}
