package import DiskIO
import Primitives
import WriteAheadLog

/// A readable walk over the log of a store's folder, for people who want to know what is in it.
///
/// It opens nothing for writing and holds nothing, so it also works on a store that is in use (up
/// to what is in the files at that moment) and on one that can no longer be opened. Bytes that
/// nobody wrote are reported with their place, and the walk goes on in the next segment.
package struct LogDump {
    /// What the walk meets, in the order of the log.
    package enum Item: Sendable, Equatable {
        case segment(Segment)
        case record(Record)
        /// Blocks that a segment kept when it was written anew, without their records.
        case kept([Block])
        case damage(Fault)
        /// The log ends here: the last thing the walk says.
        case end(LSN)
    }

    /// What the superblock says of the store; nothing is certain where it is damaged.
    package struct Summary: Sendable, Equatable {
        package var store: String
        package var pageSize: Int
        package var segmentBytes: UInt64
        /// Nil before the first checkpoint.
        package var checkpoint: LSN?
        package var durable: LSN
        package var closedCleanly: Bool
        package var segmentCount: Int
    }

    package struct Segment: Sendable, Equatable {
        package var number: UInt64
        /// Another one only where nearly dead segments were rewritten into one file.
        package var lastNumber: UInt64
        package var file: String
        package var start: LSN
        /// How often it was rewritten.
        package var generation: UInt32
        package var begun: LogTime
        /// Where it ended, if a later segment or its own index tells.
        package var end: LSN?
    }

    /// A place where the bytes are not those that were written.
    package struct Fault: Error, Equatable {
        package var file: String
        package var lsn: LSN?
        package var what: String
    }

    package let summary: Summary
    /// What is wrong with the superblock, and with the names in the folder.
    package private(set) var faults: [Fault]
    let disk: any Disk
    let files: SegmentFiles
    /// The first of each file.
    let numbers: [SegmentNumber]

    /// Looks at the store in a folder.
    package init(_ path: String) throws(OxbowError) {
        try OxbowError.checkPath(path, "dump")
        let disk: LocalDisk
        do throws(DiskError) { disk = try LocalDisk(reading: path) } catch {
            guard case .notFound = error else {
                throw OxbowError(opening: "dump \(path)", .disk(error))
            }
            throw OxbowError(.notFound, "dump \(path): there is no store")
        }
        try self.init(disk)
    }

    package init(_ disk: any Disk) throws(OxbowError) {
        let names = try attempt("dump \(disk.place)") { () throws(LogError) in
            try LogError.disk { () throws(DiskError) in try disk.list() }
        }
        let spans = names.compactMap(SegmentSpan.init(fileName:)).sorted { $0.first < $1.first }
        guard names.contains(Superblock.fileName) || !spans.isEmpty else {
            throw OxbowError(.notFound, "dump \(disk.place): there is no store")
        }
        var faults: [Fault] = []
        let slot = Self.superblock(disk, &faults)
        guard let known = slot ?? Self.guess(disk, spans) else {
            throw OxbowError(
                .damaged,
                "dump \(disk.place): neither the superblock nor any segment can be read"
            )
        }
        let files = SegmentFiles(disk: disk, geometry: known.geometry, store: known.store)
        try attempt("dump \(disk.place)") { () throws(LogError) in
            try files.findSpans(before: known.cut)
        }
        numbers = files.spans(in: names).map(\.first)
        self.disk = disk
        self.faults = faults
        self.files = files
        summary = Summary(
            store: known.store.description,
            pageSize: known.geometry.pageSize,
            segmentBytes: known.geometry.segmentSize,
            checkpoint: known.checkpoint == .zero ? nil : known.checkpoint,
            durable: known.durable,
            closedCleanly: known.closedCleanly,
            segmentCount: numbers.count
        )
    }

    private static func superblock(_ disk: any Disk, _ faults: inout [Fault]) -> Superblock? {
        do throws(DiskError) {
            let found = try Superblock.load(try disk.open(Superblock.fileName))
            for fault in found.faults {
                faults.append(Fault(file: Superblock.fileName, what: fault.what))
            }
            return found.slots.first
        } catch {
            faults.append(Fault(file: Superblock.fileName, what: error.description))
            return nil
        }
    }

    /// What the first readable segment says of the store, where the superblock does not.
    private static func guess(_ disk: any Disk, _ spans: [SegmentSpan]) -> Superblock? {
        for span in spans {
            guard let file = try? disk.open(span.fileName),
                let bytes = try? file.read(SegmentHeader.size, at: 0),
                let header = try? SegmentHeader.decode(bytes)
            else { continue }
            return Superblock(geometry: header.geometry, store: header.store)
        }
        return nil
    }

    /// Hands out what is in the log from `start` on, until the body returns false.
    package func walk(from start: LSN = .zero, _ take: (Item) -> Bool) {
        let headers = headers()
        // Of several that name the same predecessor the highest counts: the others were cut off.
        var ends: [SegmentNumber: LSN] = [:]
        for number in numbers {
            guard case .success(let header)? = headers[number] else { continue }
            if let earlier = header.predecessor { ends[earlier] = header.predecessorEnd }
        }
        var end = LSN.zero
        let first = files.geometry.segment(of: start)
        let gaps = gaps(headers)
        for number in Set(numbers).union(gaps.keys).sorted() where number >= first {
            var place = Place(number: number, from: start, end: ends[number])
            switch headers[number] {
            case .success(let header)?:
                let ending = place.end
                let goesOn = walk(header, &place) { item in
                    if case .damage = item, wasReclaimed(header, ending) { return true }
                    return take(item)
                }
                guard goesOn else { return }
                end = place.position
            case .failure(let fault)?:
                guard take(.damage(fault)) else { return }
            case nil:
                if let gap = gaps[number], !take(.damage(gap)) { return }
            }
        }
        _ = take(.end(end))
    }

    /// Where the walk is in a segment.
    private struct Place {
        let number: SegmentNumber
        let from: LSN
        var end: LSN?
        var position = LSN.zero
    }

    private func headers() -> [SegmentNumber: Result<SegmentHeader, Fault>] {
        var headers: [SegmentNumber: Result<SegmentHeader, Fault>] = [:]
        for number in numbers {
            do throws(LogError) {
                if let header = try header(number) { headers[number] = .success(header) }
            } catch {
                let base = files.geometry.base(of: number)
                var fault = Fault(file: fileName(number), lsn: base, what: "\(error)")
                if case .damaged(let damage) = error { fault.what = damage.what }
                headers[number] = .failure(fault)
            }
        }
        return headers
    }

    func fileName(_ number: SegmentNumber) -> String { files.span(of: number).fileName }

    /// Nil for a segment that was made ahead: it is empty until the log goes on in it. Also for one
    /// that is gone, which is looked into where the log needs it.
    private func header(_ number: SegmentNumber) throws(LogError) -> SegmentHeader? {
        let span = files.span(of: number)
        let file: any File
        let start: [UInt8]
        do throws(DiskError) {
            file = try disk.open(span.fileName)
            start = try file.read(SegmentHeader.size, at: 0)
        } catch {
            if case .notFound = error { return nil }
            throw .disk(error)
        }
        if SegmentHeader.isBlank(start) { return nil }
        return try SegmentHeader.load(file, span, files.store, files.geometry)
    }

    private func walk(
        _ header: SegmentHeader,
        _ place: inout Place,
        _ take: (Item) -> Bool
    ) -> Bool {
        let name = fileName(place.number)
        if place.end == nil, let file = try? disk.open(name) {
            // Of the last segment, and where the next one is gone, its closing index tells.
            place.end = (try? ClosingIndex.load(file, place.number))?.end
        }
        let segment = Segment(
            number: place.number.rawValue,
            lastNumber: header.span.last.rawValue,
            file: name,
            start: files.geometry.base(of: place.number),
            generation: header.generation,
            begun: header.begun,
            end: place.end
        )
        guard take(.segment(segment)) else { return false }
        if header.generation > 0 {
            place.position = place.end ?? segment.start
            return walkKept(place.number, from: place.from, take)
        }
        do throws(DiskError) {
            let file = try disk.open(name)
            var scanner = SegmentScanner(file: file, header: header)
            place.position = scanner.position
            while scanner.position < place.end ?? .max, let record = try scanner.next() {
                place.position = scanner.position
                if record.lsn >= place.from, !take(.record(Record(record))) { return false }
            }
            guard let what = try fault(&scanner, place) else { return true }
            return take(.damage(Fault(file: name, lsn: scanner.position, what: what)))
        } catch {
            return take(.damage(Fault(file: name, lsn: place.position, what: error.description)))
        }
    }

    /// What is wrong where no sound record stands; nil where the log ends there by rights.
    private func fault(
        _ scanner: inout SegmentScanner,
        _ place: Place
    ) throws(DiskError) -> String? {
        if let end = place.end {
            return scanner.position == end
                ? nil : "no sound record, though the segment goes on up to \(end)"
        }
        let position = scanner.position
        var told = try scanner.durableTold(from: position) ?? .zero
        if files.geometry.segment(of: summary.durable) == place.number {
            told = max(told, summary.durable)
        }
        return told > position ? "no sound record, though the log was durable up to \(told)" : nil
    }
}
