import DiskIO
import Primitives
import Simulation

/// A disk that, once, lets a test do something in the middle of an operation of a file: what
/// another thread may do there, and so at a place of the test's choosing.
// Safe to share: the hook is guarded by `lock`.
final class HookedDisk: Disk, @unchecked Sendable {
    typealias Hook = () throws(DiskError) -> Void

    let base: SimulatedDisk
    private let lock = Lock()
    private var hook: (operation: DiskOperation, body: Hook)?
    private var zerosHook: Hook?

    init(_ base: SimulatedDisk) { self.base = base }

    /// Runs `body` before the next operation of that kind.
    func onNext(_ operation: DiskOperation, _ body: @escaping Hook) {
        lock.withLock { hook = (operation, body) }
    }

    /// Runs `body` before zeros are next written to a file's beginning.
    func onZeros(_ body: @escaping Hook) { lock.withLock { zerosHook = body } }

    fileprivate func reachZeros() throws(DiskError) {
        let body = lock.withLock { () -> Hook? in
            defer { zerosHook = nil }
            return zerosHook
        }
        try body?()
    }

    /// Whether what ``onZeros(_:)`` was given has yet to run.
    var isWaitingForZeros: Bool { lock.withLock { zerosHook != nil } }

    /// Whether what ``onNext(_:_:)`` was given has yet to run.
    var isWaiting: Bool { lock.withLock { hook != nil } }

    /// Lets go of what has yet to run, which may hold who holds the disk.
    func forget() { lock.withLock { (hook, zerosHook) = (nil, nil) } }

    fileprivate func reach(_ operation: DiskOperation) throws(DiskError) {
        let body = lock.withLock { () -> Hook? in
            guard let hook, hook.operation == operation else { return nil }
            self.hook = nil
            return hook.body
        }
        try body?()
    }

    var place: String { base.place }
    func list() throws(DiskError) -> [String] { try base.list() }
    func remove(_ name: String) throws(DiskError) { try base.remove(name) }
    func syncFolder() throws(DiskError) { try base.syncFolder() }
    func availableBytes() throws(DiskError) -> UInt64 { try base.availableBytes() }
    func totalBytes() throws(DiskError) -> UInt64 { try base.totalBytes() }
    func rename(_ name: String, to newName: String) throws(DiskError) {
        try base.rename(name, to: newName)
    }

    func open(_ name: String) throws(DiskError) -> any File {
        HookedFile(try base.open(name), self)
    }

    func create(_ name: String) throws(DiskError) -> any File {
        try reach(.create)
        return HookedFile(try base.create(name), self)
    }
}

private final class HookedFile: File {
    let file: any File
    let disk: HookedDisk

    init(_ file: any File, _ disk: HookedDisk) {
        self.file = file
        self.disk = disk
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int {
        try disk.reach(.read)
        return try file.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        try disk.reach(.write)
        if offset == 0, bytes.allSatisfy({ $0 == 0 }) { try disk.reachZeros() }
        try file.write(bytes, at: offset)
    }

    func sync() throws(DiskError) {
        try disk.reach(.sync)
        try file.sync()
    }

    func settle() throws(DiskError) { try file.settle() }
    func allocate(_ length: UInt64) throws(DiskError) { try file.allocate(length) }
    func truncate(to length: UInt64) throws(DiskError) { try file.truncate(to: length) }
    func length() throws(DiskError) -> UInt64 { try file.length() }
    func allocatedBytes() throws(DiskError) -> UInt64 { try file.allocatedBytes() }
}
