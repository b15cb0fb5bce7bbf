import Oxbow
import Primitives
import Volume

/// PostgreSQL's log as the files of a branch held it at one record.
struct WALFiles {
    /// What is the same at all records of a cluster's life, as far as it is known.
    struct Cluster {
        let id: UInt64
        let geometry: WALGeometry
    }

    private let files: PastFiles
    private let folder: InodeNumber
    let control: PostgresControl
    /// The files of the log.
    private let names: [(name: [UInt8], number: InodeNumber)]
    /// The timelines that a start reads, newest first. A promotion that was killed leaves a file of
    /// a newer one, with nothing in it.
    private let timelines: [UInt32]
    private let hasFilesOfNewerTimeline: Bool

    private static let data = "/" + ComputePlace.dataFolder
    private static let timelineCount = 64
    private static let listCount = 100_000

    /// Nil where the branch held no cluster that was ever started: the first look at a data folder
    /// leaves a file there, and before it somebody may still have been copying.
    init?(_ view: View) throws(WALError) {
        let bytes: [UInt8]
        do throws(VolumeError) {
            files = try PastFiles(view)
            _ = try files.resolve(Self.data + "/oxbow.branch")
            folder = try files.resolve(Self.data + "/pg_wal")
            let number = try files.resolve(Self.data + "/global/pg_control")
            bytes = try files.bytes(of: number, at: 0, count: PostgresControl.fileBytes)
            names = try Self.names(files, folder)
        } catch {
            if error.kind == .notFound { return nil }
            throw Self.failure(error.message, view)
        }
        do throws(Malformed) { control = try PostgresControl(decoding: bytes) } catch {
            throw Self.failure("global/pg_control: \(error.what)", view)
        }
        let newest = control.timeline
        let all = Set(names.compactMap { WALGeometry.numbers(in: $0.name)?.0 })
        let known = all.filter { $0 <= newest }
        hasFilesOfNewerTimeline = known.count < all.count
        timelines = Array(known.sorted(by: >).prefix(Self.timelineCount))
    }

    private static func failure(_ what: String, _ view: View) -> WALError {
        WALError(.failed, "\(ComputePlace.dataFolder) at \(view.point.lsn): \(what)")
    }

    private func volume<Value>(
        _ body: () throws(VolumeError) -> Value
    ) throws(WALError) -> Value {
        do throws(VolumeError) { return try body() } catch {
            throw Self.failure(error.message, files.view)
        }
    }

    // MARK: What there is

    private static func names(
        _ files: PastFiles,
        _ folder: InodeNumber
    ) throws(VolumeError) -> [(name: [UInt8], number: InodeNumber)] {
        var found: [(name: [UInt8], number: InodeNumber)] = []
        try files.visitEntries(of: folder, from: .start) { entry, _ in
            if entry.kind == .file, WALGeometry.numbers(in: entry.name.bytes) != nil {
                found.append((entry.name.bytes, entry.number))
            }
            return found.count < listCount
        }
        return found
    }

    /// How this cluster's log is cut, from the files that are there; nil where none says so.
    func cluster() throws(WALError) -> Cluster? {
        for (_, number) in names {
            let bytes = try volume { () throws(VolumeError) in
                try files.bytes(of: number, at: 0, count: Int(WALBlock.longHeaderBytes))
            }
            guard let geometry = WALBlock.geometry(bytes) else { continue }
            return Cluster(id: control.cluster, geometry: geometry)
        }
        return nil
    }

    /// Where its files begin, the last one first.
    private func starts(_ cluster: Cluster) -> [UInt64] {
        Set(names.compactMap { cluster.geometry.file(named: $0.name)?.start }).sorted(by: >)
    }

    /// How far the log reaches: the end of the last whole record, or the last checkpoint.
    func end(_ cluster: Cluster) throws(WALError) -> WALPosition {
        let reader = reader(cluster)
        for start in starts(cluster) {
            if let end = try reader.end(inFileAt: start) { return WALPosition(rawValue: end) }
        }
        return WALPosition(rawValue: control.checkpoint)
    }

    // MARK: What has changed

    /// So much of the log is looked through for what has changed: as long as asking takes.
    private static let lookedThrough: UInt64 = 1 << 20

    /// What this log is known by as it is now; nil where it has no whole record, or files of a
    /// timeline that PostgreSQL's control file does not know, which may be anybody's.
    func mark() throws(WALError) -> WALMark? {
        guard let cluster = try cluster() else { return nil }
        return try mark(cluster)
    }

    private func mark(_ cluster: Cluster) throws(WALError) -> WALMark? {
        guard !hasFilesOfNewerTimeline else { return nil }
        let reader = reader(cluster)
        for start in starts(cluster) {
            // One that was made ahead.
            if try reader.endOfBlocks(inFileAt: start) == nil { continue }
            // Where its last record is too large to look for, those before it are not known.
            return try reader.lastRecord(inFileAt: start, reach: Self.lookedThrough)
                .map { WALMark($0, of: cluster.id) }
        }
        return nil
    }

    /// What this log is known by, where it is the one that was known by another mark, and nothing
    /// has changed since in a relation that all databases share. Nil, too, where that is not
    /// certain, or too far to look, or where the log does not reach as far as it has to.
    func markIfSharedIsUnchanged(
        since before: WALMark,
        reach: UInt64
    ) throws(WALError) -> WALMark? {
        guard let cluster = try cluster(), cluster.id == before.cluster,
            let now = try mark(cluster),
            now.position >= before.position,
            now.position - before.position <= Self.lookedThrough,
            now.end >= cluster.geometry.withoutHeader(reach)
        else { return nil }
        let isUnchanged = try reader(cluster).holds(after: before, upTo: now.position) {
            !$0.mayChangeSharedRelations
        }
        return isUnchanged ? now : nil
    }

    /// Whether the log is there as far as it was said to be.
    func reaches(_ testimony: Testimony) throws(WALError) -> Bool {
        guard let cluster = try cluster(), let now = try mark(cluster) else { return true }
        return now.end >= cluster.geometry.withoutHeader(testimony.reach)
    }

    /// Whether one mark will do for as long as another, or nearly: also when the files of the log
    /// are removed that end before the newer one.
    func areNear(_ before: WALMark, _ now: WALMark) throws(WALError) -> Bool {
        guard let size = try cluster()?.geometry.segmentBytes else { return false }
        return before.position / size == now.position / size
            && now.position - before.position <= Self.lookedThrough / 2
    }

    /// How many bytes of the log a start on these files has to redo, give or take a block.
    func bytesToRedo() throws(WALError) -> UInt64 {
        guard control.isRunning, let cluster = try cluster() else { return 0 }
        let reader = reader(cluster)
        for start in starts(cluster) {
            guard let end = try reader.endOfBlocks(inFileAt: start) else { continue }
            return end - min(end, control.redo)
        }
        return 0
    }

    // MARK: How far it reaches

    /// Whether all of the log before a position was there: in its files, or, of a log whose files
    /// are gone, because a checkpoint stands behind it.
    func reach(_ position: WALPosition, of cluster: Cluster) throws(WALError) -> Bool {
        guard control.cluster == cluster.id else { return false }
        if position.rawValue <= control.checkpoint { return true }
        return try reader(cluster).reaches(position.rawValue)
    }

    private func reader(_ cluster: Cluster) -> WALReader {
        WALReader(cluster.geometry) { position throws(WALError) in
            try block(at: position, cluster)
        }
    }

    private func block(
        at position: UInt64,
        _ cluster: Cluster
    ) throws(WALError) -> [UInt8]? {
        let geometry = cluster.geometry
        for timeline in timelines {
            let name = geometry.fileName(of: position, timeline: timeline)
            let bytes: [UInt8]
            do throws(VolumeError) {
                let number = try files.lookUp(FileName(name), in: folder)
                bytes = try files.bytes(
                    of: number,
                    at: position % geometry.segmentBytes,
                    count: Int(geometry.blockBytes)
                )
            } catch {
                if error.kind == .notFound { continue }
                throw Self.failure(error.message, files.view)
            }
            return bytes.count == Int(geometry.blockBytes) ? bytes : nil
        }
        return nil
    }
}

extension PastFiles {
    /// Bytes of a file, fewer where it ends.
    fileprivate func bytes(
        of number: InodeNumber,
        at offset: UInt64,
        count: Int
    ) throws(VolumeError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        var failure: VolumeError?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(VolumeError) {
                filled = try unsafe read(number, at: offset, into: buffer)
            } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(count - filled)
        return bytes
    }
}
