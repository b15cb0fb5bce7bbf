package import DiskIO
import Primitives

/// Reads the log of an earlier process from a checkpoint's cut to its end, and tells a torn tail
/// from damage.
///
/// 1. Records are taken one after the other. The one that is not sound ends the log at its place,
///    `P`, unless something durable says that the log went on: then it is damage.
/// 2. What says so: the superblock, a sound record header anywhere after `P`, or the header of a
///    later segment, that knew a durable position beyond `P`.
/// 3. A segment's successor is the highest numbered one whose sound header names it as its
///    predecessor: after a cut tail there may be an older one, whose records never counted.
/// 4. Reading changes nothing, so a crash during recovery leaves what was there before.
package struct LogReplay {
    let disk: any Disk
    let files: SegmentFiles
    let superblock: Superblock
    /// All segments that the folder names, in order.
    package let numbers: [SegmentNumber]

    package init(
        disk: any Disk,
        files: SegmentFiles,
        superblock: Superblock
    ) throws(LogError) {
        self.disk = disk
        self.files = files
        self.superblock = superblock
        numbers = files.geometry.segments(
            in: try LogError.disk { () throws(DiskError) in try disk.list() }
        )
        try settleLast()
        try refuseStrays()
    }

    /// Makes sure that what is read of the log's end survives a crash: an earlier process may have
    /// ended before it synced it, or when that failed. All segments but the last are synced before
    /// their successor's header is written.
    private func settleLast() throws(LogError) {
        for number in numbers.reversed() {
            try LogError.disk { () throws(DiskError) in try disk.open(number.fileName).settle() }
            if try header(number) != nil { return }
        }
    }

    /// What replay hands out, in the order of the log.
    package enum Step {
        case record(Record)
        /// The log goes on in this segment; the one before it ended at its `predecessorEnd`.
        case segment(SegmentHeader)
    }

    /// Takes every step from the checkpoint's cut on, and returns where the log ends.
    package func run(
        _ take: (Step) throws(LogError) -> Void
    ) throws(LogError) -> LogEnd {
        var end = LogEnd(
            segment: nil,
            end: superblock.cut,
            lastTime: .zero,
            highestSegment: max(
                numbers.last ?? superblock.highestSegment,
                superblock.highestSegment
            )
        )
        guard var header = try firstHeader() else { return try nothingYet(end) }
        try take(.segment(header))
        var position: LSN? = superblock.cut
        while true {
            let successor = try successor(of: header.number)
            var scanner = SegmentScanner(file: try file(header), header: header, from: position)
            end.segment = header.number
            end.lastTime = max(end.lastTime, header.begun)
            try scan(&scanner, upTo: successor?.predecessorEnd, &end, take)
            if let successor, scanner.position == successor.predecessorEnd {
                try take(.segment(successor))
                header = successor
                position = nil
                continue
            }
            try refuseDamage(&scanner, header)
            return end
        }
    }

    private func scan(
        _ scanner: inout SegmentScanner,
        upTo limit: LSN?,
        _ end: inout LogEnd,
        _ take: (Step) throws(LogError) -> Void
    ) throws(LogError) {
        end.end = scanner.position
        while scanner.position < limit ?? .max {
            let record = try LogError.disk { () throws(DiskError) in try scanner.next() }
            guard let record else { return }
            try take(.record(record))
            end.end = record.end
            end.lastTime = max(end.lastTime, record.header.time)
        }
    }

    /// The header of the segment that the cut stands in; nil in a store that never had one.
    private func firstHeader() throws(LogError) -> SegmentHeader? {
        let number = files.geometry.segment(of: superblock.cut)
        guard numbers.contains(number) else {
            if superblock.checkpoint == .zero, superblock.durable == .zero { return nil }
            throw .damaged(
                Damage(at: superblock.cut, "segment \(number), where replay begins, is missing")
            )
        }
        if superblock.checkpoint == .zero, superblock.durable == .zero {
            return try header(number)
        }
        return try files.file(number).header
    }

    private func nothingYet(_ end: LogEnd) throws(LogError) -> LogEnd {
        var end = end
        end.segment = nil
        if numbers.isEmpty { end.highestSegment = nil }
        return end
    }

    private func file(_ header: SegmentHeader) throws(LogError) -> any File {
        try files.file(header.number).file
    }

    /// The sound header of a segment, or nil: a segment made ahead has none yet.
    func header(_ number: SegmentNumber) throws(LogError) -> SegmentHeader? {
        do throws(LogError) { return try files.file(number).header } catch {
            // Of what the disk did not give nothing is known: taken for a tail, it would be cut.
            guard case .damaged = error else { throw error }
            return nil
        }
    }

    private func successor(of number: SegmentNumber) throws(LogError) -> SegmentHeader? {
        for candidate in numbers.reversed() where candidate > number {
            if let header = try header(candidate), header.predecessor == number { return header }
        }
        return nil
    }

    /// Throws where something durable says that the log went on after the scanner's position.
    private func refuseDamage(
        _ scanner: inout SegmentScanner,
        _ header: SegmentHeader
    ) throws(LogError) {
        let place = scanner.position
        var told = superblock.durable
        do throws(DiskError) {
            told = max(told, try scanner.durableTold(from: place) ?? .zero)
        } catch { throw .disk(error) }
        for number in numbers where number > header.number {
            told = max(told, try durableTold(by: number, insteadOf: header))
        }
        try refuseShort(header, endingAt: place)
        guard told <= place else {
            try refuseGap(after: header, told)
            var damage = Damage(
                at: place,
                "a record that was durable (the log knew of \(told)) is not what was written"
            )
            try LogError.disk { () throws(DiskError) in try scanner.identify(&damage) }
            throw .damaged(damage)
        }
    }

    /// Throws where the log's last segment lost its end, which no crash does. After a clean close
    /// the superblock says where the log ends: what is behind is an index, and can be built anew.
    private func refuseShort(
        _ header: SegmentHeader,
        endingAt place: LSN
    ) throws(LogError) {
        if superblock.closedCleanly, superblock.durable == place { return }
        let file = try file(header)
        let isShort = try LogError.disk { () throws(DiskError) in
            if try file.length() >= header.geometry.segmentSize { return false }
            return try ClosingIndex.load(file, header.number) == nil
        }
        guard !isShort else {
            throw .damaged(
                Damage(
                    at: header.geometry.base(of: header.number),
                    "segment \(header.number)'s file is cut short"
                )
            )
        }
    }

    private func durableTold(
        by number: SegmentNumber,
        insteadOf header: SegmentHeader
    ) throws(LogError) -> LSN {
        var told = LSN.zero
        var likely = header
        likely.number = number
        if let own = try self.header(number) {
            told = own.durable
            likely = own
        }
        do throws(DiskError) {
            let file = try disk.open(number.fileName)
            var scanner = SegmentScanner(file: file, header: likely)
            return max(told, try scanner.durableTold(from: scanner.position) ?? .zero)
        } catch { throw .disk(error) }
    }
}
