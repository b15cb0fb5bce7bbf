import Oxbow
import Primitives
import Simulation
import Testing

/// The last segment's closing index, after a clean close: the superblock says where the log ends,
/// so the index is as good as the records are.
@Suite struct ClosingIndexTests {
    typealias Damage = @Sendable (SimulatedDisk, String, Int) -> Void
    static let damages: [(what: String, do: Damage)] = [
        ("a flipped bit of the footer", { $0.flip(bit: ($2 - 100) * 8 + 3, of: $1) }),
        ("a flipped bit of the magic", { $0.flip(bit: ($2 - 256) * 8, of: $1) }),
        ("a byte cut off", { $0.resize($1, to: $2 - 1) }),
        ("the footer cut off", { $0.resize($1, to: $2 - 256) }),
        ("bytes after it", { $0.overwrite($1, at: $2, with: [1, 2, 3, 4, 5]) }),
    ]

    @Test(arguments: damages.indices)
    func `an index of the last segment that is lost is built anew`(index: Int) throws {
        let (what, damage) = Self.damages[index]
        let written = try DamagedStore(seed: 6)
        let last = try #require(written.disk.names.filter { $0.hasSuffix(".segment") }.max())
        let length = try #require(written.disk.length(of: last))
        let copy = written.disk.snapshot()
        damage(copy, last, length)
        #expect(written.outcome(of: copy) == .harmless, "\(what)")
        // Whether it was built anew by then, or only when it is needed.
        let store = try DamagedStore.open(copy, written.clock)
        while try store.step() {}
        let commit = try store.branch("main").commit { edit in
            try edit.delete(page: 11, of: DamagedStore.table)
        }
        try store.checkpoint()
        try store.close()
        #expect(copy.bytes(of: last) == written.disk.bytes(of: last), "\(what)")
        let again = try DamagedStore.open(copy, written.clock)
        #expect(try again.branch("main").point(at: .head).lsn == commit.lsn)
        #expect(try again.check().isSound)
    }

    @Test func `records that are lost with it are damage`() throws {
        let written = try DamagedStore(seed: 6)
        let last = try #require(written.disk.names.filter { $0.hasSuffix(".segment") }.max())
        for length in [4096, 5000, 6000] {
            let copy = written.disk.snapshot()
            copy.resize(last, to: length)
            #expect(throws: OxbowError.self) { try DamagedStore.open(copy, written.clock) }
        }
    }
}
