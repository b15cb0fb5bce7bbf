package import DiskIO
package import Primitives

/// A folder of a disk that only a seed decides about: it loses, tears and misplaces writes, rots,
/// fails and fills up, and does the same again with the same seed and calls.
///
/// Laws, of which the first four are the harshest reading of those of `Disk`:
/// 1. What was written before `File.sync` returned is there after a crash; it does not make the
///    file's name durable.
/// 2. What was created, renamed or removed before `syncFolder` returned is so after a crash. A
///    file whose creation is lost vanishes with all its bytes. A rename never half happens.
/// 3. Each change that was not synced is kept by a crash, or lost, or torn at sectors of 512 bytes,
///    in any order, and on its own.
/// 4. Of what was not synced when a sync fails, of a file or of the folder, a random part is
///    durable, and no later sync makes the rest so, though reading shows it until a crash.
/// 5. After power was lost every call throws, until ``crash(_:)``. That returns the disk of the
///    next life; this one and its handles throw for ever, so that no thread of an earlier life
///    can touch it.
/// 6. Damage is only where ``events`` says. They are bounded: take them now and then.
// Safe to share: all state is guarded by `lock`.
package final class SimulatedDisk: Disk, @unchecked Sendable {
    static let placeName = "simulated"

    private let lock = Lock()
    private var state: DiskState
    /// Called before each operation that changes the disk, whose copy then is a place to crash at.
    /// Set before the disk is used, by who uses it alone.
    package var beforeChange: (() -> Void)?

    package convenience init(seed: UInt64, capacity: UInt64 = 1 << 40) {
        self.init(random: SeededRandom(seed: seed), capacity: capacity)
    }

    package convenience init(random: SeededRandom, capacity: UInt64 = 1 << 40) {
        self.init(DiskState(random: random, capacity: capacity))
    }

    init(_ state: DiskState) { self.state = state }

    /// Works on the state, alone.
    func update<Result>(
        _ body: (inout DiskState) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&state)
    }

    /// As ``update(_:)``, for what cannot fail.
    func with<Result>(_ body: (inout DiskState) -> Result) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return body(&state)
    }

    package var place: String { Self.placeName }

    package func open(_ name: String) throws(DiskError) -> any File {
        let file = try update { state throws(DiskError) in try state.open(name) }
        return SimulatedFile(file, of: self)
    }

    package func create(_ name: String) throws(DiskError) -> any File {
        beforeChange?()
        let file = try update { state throws(DiskError) in try state.create(name) }
        return SimulatedFile(file, of: self)
    }

    package func list() throws(DiskError) -> [String] {
        try update { state throws(DiskError) in try state.list() }
    }

    package func remove(_ name: String) throws(DiskError) {
        beforeChange?()
        try update { state throws(DiskError) in try state.remove(name) }
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        beforeChange?()
        try update { state throws(DiskError) in try state.rename(name, to: newName) }
    }

    package func syncFolder() throws(DiskError) {
        beforeChange?()
        try update { state throws(DiskError) in try state.syncFolder() }
    }

    package func availableBytes() throws(DiskError) -> UInt64 {
        try update { state throws(DiskError) in
            try state.requirePower(state.folderCall(.open, ""))
            return state.availableBytes
        }
    }

    package func totalBytes() throws(DiskError) -> UInt64 {
        try update { state throws(DiskError) in
            try state.requirePower(state.folderCall(.open, ""))
            return state.capacity
        }
    }
}
