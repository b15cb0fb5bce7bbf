import BranchServer
import DiskIO
import Oxbow
import Primitives
import Simulation
import TestSupport
import Testing
import Volume

/// A branch that a log is written to, and what each record of the branch held of it.
final class WALCluster {
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

    func put(_ bytes: [UInt8], at offset: UInt64, to path: String) throws {
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
        let bytes = WALImage.control(
            checkpoint: checkpoint,
            cluster: cluster,
            timeline: UInt32(timeline)
        )
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
            do throws(VolumeError) { try files.remove(name, from: folder) } catch {
                // With an earlier timeline.
                #expect(error.kind == .notFound)
            }
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
