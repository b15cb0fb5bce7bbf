import DiskIO
import Primitives
import Timelines
import WriteAheadLog

extension LogDump {
    typealias Headers = [SegmentNumber: Result<SegmentHeader, Fault>]

    /// The segments that the log went on in, and whose files are missing or empty. Reclaim takes
    /// away whole segments too, so a gap counts only from where nothing is reclaimed yet.
    func gaps(_ headers: Headers) -> [SegmentNumber: Fault] {
        var suspects: [SegmentNumber: (end: LSN, fault: Fault)] = [:]
        for (number, end) in lost(headers) {
            guard let what = loss(of: number) else { continue }
            let base = files.geometry.base(of: number)
            suspects[number] = (end, Fault(file: number.fileName, lsn: base, what: what))
        }
        if suspects.isEmpty { return [:] }
        // Asked for last: what was reclaimed by now is below it.
        guard let kept = keptFrom() else { return [:] }
        return suspects.filter { $0.value.end > kept }.mapValues(\.fault)
    }

    /// The segments that must have been there and have no header, each with its end: from the last
    /// one back, those that the one after them names, and the one that the superblock knows of.
    /// What no later one names was cut off, and never counted.
    private func lost(_ headers: Headers) -> [(SegmentNumber, end: LSN)] {
        var lost: [(SegmentNumber, end: LSN)] = []
        let last = files.geometry.segment(of: summary.durable)
        if headers[last] == nil, summary.durable > files.geometry.firstRecord(of: last) {
            lost.append((last, summary.durable))
        }
        var below: SegmentNumber?
        let sound = headers.keys.sorted().reversed()
        for number in sound where below.map({ number <= $0 }) ?? true {
            guard case .success(let header)? = headers[number], let earlier = header.predecessor
            else { continue }
            if headers[earlier] == nil { lost.append((earlier, header.predecessorEnd)) }
            below = earlier
        }
        return lost
    }

    /// Whether a pass of reclaim took a file since the walk began: it is gone, or another has its
    /// name.
    func wasReclaimed(_ header: SegmentHeader, _ end: LSN?) -> Bool {
        do throws(DiskError) {
            let start = try disk.open(header.span.fileName).read(SegmentHeader.size, at: 0)
            let now = try? SegmentHeader.decode(start)
            return now.map { $0.generation > header.generation } ?? false
        } catch {
            guard case .notFound = error else { return false }
            // What was rewritten once is below what is kept as it is.
            if header.generation > 0 { return true }
            guard let kept = keptFrom() else { return false }
            return (end ?? files.geometry.base(of: header.number.next)) <= kept
        }
    }

    /// What is wrong with a segment's file at this moment, if anything is.
    private func loss(of number: SegmentNumber) -> String? {
        do throws(DiskError) {
            let start = try disk.open(number.fileName).read(SegmentHeader.size, at: 0)
            return SegmentHeader.isBlank(start) ? "the segment is empty" : nil
        } catch {
            guard case .notFound = error else { return error.description }
            return "the segment is missing"
        }
    }

    /// From where on the last checkpoint keeps the log as it is; nil where the superblock does not
    /// tell.
    private func keptFrom() -> LSN? {
        guard let file = try? disk.open(Superblock.fileName),
            let slots = try? Superblock.load(file).slots, let newest = slots.first
        else { return nil }
        for slot in slots {
            if slot.checkpoint == .zero { return .zero }
            if let entry = checkpoint(slot) { return entry.state.denseFrom }
        }
        return newest.cut
    }

    private func checkpoint(_ slot: Superblock) -> CheckpointEntry? {
        guard let file = try? files.file(files.geometry.segment(of: slot.checkpoint)) else {
            return nil
        }
        var scanner = SegmentScanner(file: file.file, header: file.header, from: slot.checkpoint)
        guard let record = try? scanner.next(), record.header.kind == .checkpoint else {
            return nil
        }
        var reader = ByteReader(record.meta)
        return try? CheckpointEntry(decoding: &reader)
    }
}
