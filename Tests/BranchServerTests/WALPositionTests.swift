import BranchServer
import DiskIO
import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing
import Volume

/// Which record a position of PostgreSQL's log stands for, with logs that are made up.
@Suite struct WALPositionTests {
    /// A branch that a log is written to, and what each record of the branch held of it.
    private final class Cluster {
        let clock = SimulatedClock(seed: 1)
        let store: Store
        var branch: Branch
        var image: WALImage
        var random: SeededRandom
        /// After each write: the branch's record, and how far the log reached.
        var states: [(lsn: LSN, end: UInt64)] = []
        private var written = 0
        private var timeline = 1
        private var last = LSN.zero

        init(_ seed: UInt64) throws {
            var entropy = SeededRandom(seed: seed)
            random = SeededRandom(test: seed)
            var options = StoreOptions()
            options.upkeep = .manual
            options.segmentBits = 18
            store = try Store.open(
                SimulatedDisk(seed: seed),
                clock,
                options,
                entropy: Entropy { entropy.next() }
            )
            branch = try store.branch("main")
            image = try WALImage()
            let files = try BranchFiles.open(branch)
            let ownership = Ownership(permissions: 0o700)
            let data = try files.makeFolder(FileName("pgdata"), in: .root, ownership)
            for name in ["global", "pg_wal"] {
                try files.makeFolder(FileName(name), in: data, ownership)
            }
            try control(checkpoint: image.start + 40)
            try put([1], at: 0, to: "/pgdata/oxbow.branch")
        }

        private func put(_ bytes: [UInt8], at offset: UInt64, to path: String) throws {
            let files = try BranchFiles.open(branch)
            let (folder, name) = try files.resolveParent(path)
            let number: InodeNumber
            do { number = try files.lookUp(name, in: folder) } catch {
                number = try files.makeFile(name, in: folder, Ownership(permissions: 0o600))
            }
            let file = try files.openFile(number)
            try file.write(bytes, at: offset)
            // Before it is closed, which writes its times.
            last = try branch.point(at: .head).lsn
            withExtendedLifetime(file) {}
        }

        func control(checkpoint: UInt64, cluster: UInt64 = 77) throws {
            let bytes = WALImage.control(checkpoint: checkpoint, cluster: cluster)
            try put(bytes, at: 0, to: "/pgdata/global/pg_control")
        }

        func file(_ position: UInt64) -> String {
            let number = String(position / WALImage.segment, radix: 16, uppercase: true)
            let zeros = String(repeating: "0", count: 16 - number.count)
            return "/pgdata/pg_wal/0000000\(timeline)" + zeros + number
        }

        func remove(_ position: UInt64) throws {
            let files = try BranchFiles.open(branch)
            let (folder, name) = try files.resolveParent(file(position))
            try files.remove(name, from: folder)
        }

        /// Goes on in a file of the next timeline, with what the last one had of it, and removes
        /// the earlier timeline's files when a checkpoint stands behind them.
        func promote() throws {
            let start = (image.position - 1) / WALImage.segment * WALImage.segment
            let olds = stride(from: image.start, through: start, by: Int(WALImage.segment))
                .map { file($0) }
            timeline += 1
            let all = Array(image.padded.dropFirst(Int(start - image.start)))
            try put(all, at: 0, to: "/pgdata/pg_wal/xlogtemp")
            let (folder, temporary) = try BranchFiles.open(branch)
                .resolveParent("/pgdata/pg_wal/xlogtemp")
            let (_, whole) = try BranchFiles.open(branch).resolveParent(file(start))
            try BranchFiles.open(branch).rename(temporary, in: folder, to: whole, in: folder)
            try control(checkpoint: #require(image.records.last).lowerBound)
            for old in olds {
                let files = try BranchFiles.open(branch)
                let (folder, name) = try files.resolveParent(old)
                try files.remove(name, from: folder)
            }
        }

        /// Writes what the image has and the branch has not, a block at a time.
        func flush() throws {
            let all = image.padded
            for first in stride(from: written / 8192 * 8192, to: all.count, by: 8192) {
                let position = image.start + UInt64(first)
                try put(
                    Array(all[first..<first + 8192]),
                    at: position % WALImage.segment,
                    to: file(position)
                )
                note(upTo: image.start + UInt64(first + 8192))
            }
            written = image.bytes.count
            clock.advance(by: .seconds(1))
        }

        private func note(upTo there: UInt64) {
            let end = image.records.last { $0.upperBound <= there }?.upperBound ?? 0
            states.append((last, end))
        }

        func go(on rounds: Int) throws {
            for _ in 0..<rounds {
                image.append(random.bytes(random.oneIn(4) ? random.below(30_000) : 100))
                try flush()
            }
        }

        func find(_ position: UInt64) throws -> LSN {
            try WALPositionSearch(branch).point(of: WALPosition(rawValue: position)).lsn
        }

        func failure(_ position: UInt64) -> WALError? {
            do { _ = try find(position) } catch { return error as? WALError }
            return nil
        }

        /// Every end of a record leads to the first record of the branch that holds it.
        func expectAll(_ ranges: [Range<UInt64>]? = nil) throws {
            for record in ranges ?? image.records {
                let first = try #require(states.first { $0.end >= record.upperBound })
                for position in [record.upperBound, record.upperBound - 1] {
                    let found = try find(position)
                    #expect(found == first.lsn, "\(position) of \(record)")
                }
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `a position leads to the first record that holds it`(seed: UInt64) throws {
        let cluster = try Cluster(seed)
        try cluster.go(on: 30)
        try cluster.expectAll()
        let beyond = try #require(cluster.failure(cluster.image.end + 25))
        #expect(beyond.kind == .beyondHead)
        #expect(beyond.message.contains("ends at \(WALPosition(rawValue: cluster.image.end))"))
    }

    @Test func `files that a checkpoint has removed count as passed`() throws {
        let cluster = try Cluster(3)
        try cluster.go(on: 20)
        cluster.image.switchFile()
        try cluster.flush()
        try cluster.go(on: 10)
        try cluster.control(checkpoint: #require(cluster.image.records.last).lowerBound)
        try cluster.remove(cluster.image.start)
        try cluster.go(on: 10)
        try cluster.expectAll(Array(cluster.image.records.filter { $0.count < 100_000 }))
    }

    @Test func `positions are found through promotions`() throws {
        let cluster = try Cluster(9)
        for _ in 0..<3 {
            try cluster.go(on: 15)
            try cluster.promote()
        }
        try cluster.go(on: 5)
        try cluster.expectAll()
    }

    @Test func `a fork finds its parent's, and its own`() throws {
        let cluster = try Cluster(4)
        try cluster.go(on: 20)
        let parent = cluster.branch
        cluster.branch = try cluster.store.fork("copy", from: parent)
        try cluster.go(on: 20)
        try cluster.expectAll()
        let search = WALPositionSearch(parent)
        let own = WALPosition(rawValue: cluster.image.end)
        #expect(throws: WALError.self) { try search.point(of: own) }
    }

    @Test func `what a reset left behind is not found`() throws {
        let cluster = try Cluster(5)
        try cluster.go(on: 20)
        let (image, states) = (cluster.image, cluster.states)
        try cluster.go(on: 20)
        let left = cluster.image.end
        let point = try cluster.branch.point(at: .lsn(#require(states.last).lsn))
        try cluster.branch.reset(to: point)
        (cluster.image, cluster.states) = (image, states)
        #expect(cluster.failure(left)?.kind == .beyondHead)
        let after = try cluster.branch.point(at: .head).lsn
        try cluster.go(on: 5)
        try cluster.expectAll()
        #expect(try cluster.find(cluster.image.end) > after)
    }

    @Test func `before what is kept there is nothing, and the error says from where on`() throws {
        let cluster = try Cluster(6)
        try cluster.go(on: 30)
        let old = cluster.image.end
        try cluster.store.checkpoint()
        try cluster.go(on: 100)
        try cluster.store.checkpoint()
        try cluster.go(on: 10)
        try cluster.store.setWindow(.seconds(5), bytes: 1 << 30)
        _ = try cluster.store.reclaim()
        let error = try #require(cluster.failure(old))
        #expect(error.kind == .beforeHistory)
        let earliest = try #require(try cluster.branch.history(from: .oldest, limit: 1).first)
        #expect(error.message.contains("\(earliest.lsn)"), "\(error)")
        #expect(error.message.contains("\(earliest.time)"), "\(error)")
        try cluster.expectAll(Array(cluster.image.records.suffix(3)))
    }

    @Test func `another cluster's positions are not this one's`() throws {
        let cluster = try Cluster(7)
        try cluster.go(on: 10)
        let before = try cluster.branch.point(at: .head).lsn
        try cluster.control(checkpoint: cluster.image.start + 40, cluster: 78)
        #expect(try cluster.find(cluster.image.end) > before)
    }

    @Test func `a branch without PostgreSQL says so, and so does one that is damaged`() throws {
        let store = try Store.temporary()
        let main = try store.branch("main")
        let search = WALPositionSearch(main)
        let position = WALPosition(rawValue: 1 << 24)
        let none = #expect(throws: WALError.self) { try search.point(of: position) }
        #expect(none?.kind == .noCluster)
        _ = try BranchFiles.open(main)
        let empty = #expect(throws: WALError.self) { try search.point(of: position) }
        #expect(empty?.kind == .noCluster)
        let cluster = try Cluster(8)
        try cluster.go(on: 3)
        try cluster.control(checkpoint: 0, cluster: 77)
        let (folder, name) = try BranchFiles.open(cluster.branch)
            .resolveParent("/pgdata/global/pg_control")
        let files = try BranchFiles.open(cluster.branch)
        try files.openFile(files.lookUp(name, in: folder)).write([1, 2, 3], at: 33)
        let damaged = cluster.failure(cluster.image.end)
        #expect(damaged?.kind == .failed)
        #expect(damaged?.message.contains("pg_control") == true)
    }
}
