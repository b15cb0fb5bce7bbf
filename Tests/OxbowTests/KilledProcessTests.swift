import DiskIO
import Oxbow
import Simulation
import Testing

/// What a process wrote and did not sync is seen by the next one, and can still be lost when the
/// machine ends.
@Suite struct KilledProcessTests {
    private static func open(_ disk: any Disk, _ seed: UInt64) throws -> Store {
        var random = SeededRandom(seed: seed)
        return try Store.open(
            disk,
            SimulatedClock(seed: seed),
            ReclaimTests.options(),
            entropy: Entropy { random.next() }
        )
    }

    private static func commit(_ page: Int, to store: Store) throws {
        try store.branch("main").commit { edit in
            try edit.write(ReclaimTests.page(page), page: PageNumber(UInt64(page)), of: ObjectID(1))
        }
    }

    private static func holds(_ page: Int, _ store: Store) throws -> Bool {
        let main = try store.branch("main")
        return try main.read(page: PageNumber(UInt64(page)), of: ObjectID(1))
            == ReclaimTests.page(page)
    }

    @Test func `what was read of a killed process's tail stays when the power goes`() throws {
        let disk = PausingDisk(SimulatedDisk(seed: 1))
        let first = try Self.open(disk, 1)
        try Self.commit(1, to: first)
        disk.keepStateAtSync(of: ".segment")
        try Self.commit(2, to: first)
        let killed = try #require(disk.kept)
        let second = try Self.open(killed, 2)
        #expect(try Self.holds(2, second))
        try Self.commit(3, to: second)
        let third = try Self.open(killed.crash(CrashModel(.everythingLost)), 3)
        for page in 1...3 { #expect(try Self.holds(page, third), "page \(page)") }
    }

    @Test func `one slot of the superblock is whole after a kill and a loss of power`() throws {
        let disk = PausingDisk(SimulatedDisk(seed: 1))
        let first = try Self.open(disk, 1)
        try Self.commit(1, to: first)
        disk.keepStateAtSync(of: "superblock")
        try first.checkpoint()
        let killed = try #require(disk.kept)
        for seed in 0..<40 as Range<UInt64> {
            let next = PausingDisk(killed.snapshot(seed: seed))
            // The slot is written by then.
            next.keepStateAtSync(of: "superblock", afterWrite: true)
            _ = try Self.open(next, 2)
            let lost = try #require(next.kept).crash(CrashModel(.drawn, garbles: true))
            #expect(try Self.holds(1, Self.open(lost, 3)), "seed \(seed)")
        }
    }
}

/// Keeps a copy of a disk as it is just before a file is synced: as a process that is killed there
/// leaves it.
// Safe to share: used by one thread.
private final class PausingDisk: Disk, @unchecked Sendable {
    private let base: SimulatedDisk
    private var wanted: String?
    private var needsWrite = false
    private(set) var kept: SimulatedDisk?

    init(_ base: SimulatedDisk) { self.base = base }

    func keepStateAtSync(of suffix: String, afterWrite: Bool = false) {
        (wanted, needsWrite) = (suffix, afterWrite)
    }

    func written(_ name: String) {
        if let suffix = wanted, name.hasSuffix(suffix) { needsWrite = false }
    }

    func aboutToSync(_ name: String) {
        guard let suffix = wanted, name.hasSuffix(suffix), !needsWrite else { return }
        kept = base.snapshot()
        wanted = nil
    }

    var place: String { base.place }
    func open(_ name: String) throws(DiskError) -> any File {
        PausingFile(try base.open(name), name, self)
    }
    func create(_ name: String) throws(DiskError) -> any File {
        PausingFile(try base.create(name), name, self)
    }
    func list() throws(DiskError) -> [String] { try base.list() }
    func remove(_ name: String) throws(DiskError) { try base.remove(name) }
    func rename(_ name: String, to newName: String) throws(DiskError) {
        try base.rename(name, to: newName)
    }
    func syncFolder() throws(DiskError) { try base.syncFolder() }
    func availableBytes() throws(DiskError) -> UInt64 { try base.availableBytes() }
    func totalBytes() throws(DiskError) -> UInt64 { try base.totalBytes() }
}

private final class PausingFile: File {
    private let base: any File
    private let name: String
    private let disk: PausingDisk

    init(_ base: any File, _ name: String, _ disk: PausingDisk) {
        (self.base, self.name, self.disk) = (base, name, disk)
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int { try unsafe base.read(into: buffer, at: offset) }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        try unsafe base.write(bytes, at: offset)
        disk.written(name)
    }
    func sync() throws(DiskError) {
        disk.aboutToSync(name)
        try base.sync()
    }
    func settle() throws(DiskError) {
        disk.aboutToSync(name)
        try base.settle()
    }
    func allocate(_ length: UInt64) throws(DiskError) { try base.allocate(length) }
    func truncate(to length: UInt64) throws(DiskError) { try base.truncate(to: length) }
    func length() throws(DiskError) -> UInt64 { try base.length() }
    func allocatedBytes() throws(DiskError) -> UInt64 { try base.allocatedBytes() }
}
