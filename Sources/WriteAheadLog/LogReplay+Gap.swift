import DiskIO
import Primitives

extension LogReplay {
    /// Throws where a file has the name of a segment that the log cannot have come to: the log
    /// would go on behind it, and never know what the numbers between were.
    ///
    /// A segment is made when the one before it is begun, so a crash leaves one without a sound
    /// header, and each opening that a crash cut short leaves the next one.
    func refuseStrays() throws(LogError) {
        var known = superblock.highestSegment
        for number in numbers where number > known {
            if number != known.next, try header(number) == nil {
                throw .damaged(
                    Damage(
                        at: files.geometry.base(of: number),
                        "\(number.fileName): no sound segment, and none that follows the log "
                            + "(move it away, unless segments before it are missing)"
                    )
                )
            }
            known = number
        }
    }

    /// Throws where the log breaks off since a whole segment is gone: no record is damaged then,
    /// and what is to be looked for is a file.
    func refuseGap(after header: SegmentHeader, _ told: LSN) throws(LogError) {
        for number in numbers where number > header.number {
            guard let later = try self.header(number), let before = later.predecessor else {
                continue
            }
            if before > header.number { try refuseLoss(of: before) }
        }
        let last = files.geometry.segment(of: told)
        if last > header.number, told > files.geometry.firstRecord(of: last) {
            try refuseLoss(of: last)
        }
    }

    /// Throws where a segment that the log went on in is missing or empty.
    private func refuseLoss(of number: SegmentNumber) throws(LogError) {
        let base = files.geometry.base(of: number)
        let name = "segment \(number) (\(number.fileName))"
        guard numbers.contains(number) else {
            throw .damaged(Damage(at: base, "\(name) is missing"))
        }
        let isEmpty = try LogError.disk { () throws(DiskError) in
            SegmentHeader.isBlank(try disk.open(number.fileName).read(SegmentHeader.size, at: 0))
        }
        if isEmpty { throw .damaged(Damage(at: base, "\(name) is empty")) }
    }
}

extension SegmentHeader {
    /// Whether a segment's file begins with nothing where the header goes: it was made ahead, or
    /// emptied.
    package static func isBlank(_ start: [UInt8]) -> Bool { start.allSatisfy { $0 == 0 } }
}
