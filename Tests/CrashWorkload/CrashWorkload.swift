package import Oxbow

/// A workload whose every state follows from how many commits were made: so whoever looks at a
/// store after a crash can say how far it came, and whether all of it is there.
///
/// Commit `i` writes the counter page (number 0) and some others; every eighth forks a branch;
/// every 32nd makes a checkpoint.
package struct CrashWorkload: Sendable {
    package static let pageCount = 64
    package static let table = ObjectID(7)

    package static var options: StoreOptions {
        var options = StoreOptions()
        options.upkeep = .manual
        options.segmentBits = 18
        options.pageSize = 1024
        options.checkpointChanges = 200
        return options
    }

    package init() {}

    /// The pages that commit `index` writes, and the seeds of their bytes.
    package static func writes(_ index: Int) -> [Int] {
        var random = SeededRandom(seed: UInt64(index))
        return [0] + (0..<random.below(5)).map { _ in 1 + random.below(pageCount - 1) }
    }

    package static func isSynced(_ index: Int) -> Bool { index % 3 != 0 }

    package static func page(_ index: Int, _ number: Int) -> [UInt8] {
        if index == 0 { return [UInt8](repeating: 0, count: 1024) }
        var random = SeededRandom(seed: UInt64(index) &* 1000 &+ UInt64(number))
        var bytes = withUnsafeBytes(of: UInt64(index).littleEndian) { [UInt8]($0) }
        while bytes.count < 1024 {
            bytes.append(
                UInt8(truncatingIfNeeded: random.next() >> (index % 2 == 0 ? 0 : 7 * 8 + 4))
            )
        }
        return bytes
    }

    package static func commit(_ index: Int, _ store: Store) throws {
        let main = try store.branch("main")
        try main.commit(isSynced(index) ? .synced : .buffered) { edit in
            for number in writes(index) {
                try edit.write(page(index, number), page: PageNumber(UInt64(number)), of: table)
            }
        }
        try fork(index, store)
        try store.step()
    }

    /// The branch that belongs to a commit, unless it is there: a process may have been killed
    /// between the two.
    package static func fork(_ index: Int, _ store: Store) throws {
        guard index > 0, index % 8 == 0 else { return }
        do throws(OxbowError) {
            try store.fork("b\(index)", from: store.branch("main"))
        } catch {
            guard error.kind == .conflict else { throw error }
        }
        try store.sync()
    }

    /// How many commits a branch shows, by its counter page.
    package static func count(_ branch: Branch) throws -> Int {
        let bytes = try branch.read(page: 0, of: table)
        return Int(bytes[..<8].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.1) << (8 * $1.0) })
    }
}
