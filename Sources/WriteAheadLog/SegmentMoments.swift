package import DiskIO
package import Primitives

/// Where the moments of a sealed segment stand: what look-ups of points ask. Of the records it
/// keeps a sample in memory, and reads a few from the closing index when asked (4 bytes a record
/// instead of 52, so that a long history fits into a small cache).
package struct SegmentMoments: Sendable {
    /// Places of records, by timeline and LSN.
    private let order: [UInt32]
    /// Each timeline in the order, and where it begins there.
    private let runs: [(timeline: TimelineID, start: Int)]
    private let table: RecordTable

    private init(order: [UInt32], _ records: [UInt8], _ table: RecordTable) {
        self.order = order
        self.table = table
        var runs: [(timeline: TimelineID, start: Int)] = []
        for (place, record) in order.enumerated() {
            let timeline = TimelineID(rawValue: RecordTable.timeline(records, Int(record)))
            if runs.last?.timeline != timeline { runs.append((timeline, place)) }
        }
        self.runs = runs
    }

    /// About how much memory it takes.
    package var byteCount: Int { order.count * 4 + runs.count * 16 + table.byteCount }

    /// The last record of a timeline among those that fit, where all that fit stand before all
    /// that don't.
    package func last(
        of timeline: TimelineID,
        where fits: (LSN, LogTime) -> Bool
    ) throws(LogError) -> RecordEntry? {
        guard let run = run(of: timeline) else { return nil }
        let (rank, window) = try table.rank(where: fits)
        let place = order[run].countOfFirst { Int($0) < rank }
        guard place > 0 else { return nil }
        return try table.entry(Int(order[run.lowerBound + place - 1]), window)
    }

    /// The first record of a timeline after `lsn`.
    package func first(
        of timeline: TimelineID,
        after lsn: LSN
    ) throws(LogError) -> RecordEntry? {
        guard let run = run(of: timeline) else { return nil }
        let (rank, window) = try table.rank { other, _ in other <= lsn }
        let place = order[run].countOfFirst { Int($0) < rank }
        guard place < run.count else { return nil }
        return try table.entry(Int(order[run.lowerBound + place]), window)
    }

    private func run(of timeline: TimelineID) -> Range<Int>? {
        let place = runs.countOfFirst { $0.timeline <= timeline }
        guard place > 0, runs[place - 1].timeline == timeline else { return nil }
        return runs[place - 1].start..<(place < runs.count ? runs[place].start : order.count)
    }
}

extension SegmentMoments {
    /// Reads what a closing index says; nil where it is not what was written.
    package init?(_ closing: ClosingIndex, _ file: any File, at lsn: LSN) throws(LogError) {
        let parts = try LogError.disk { () throws(DiskError) in
            (try closing.read(.records, file), try closing.read(.order, file))
        }
        guard let records = parts.0, let order = parts.1 else { return nil }
        let table = RecordTable(
            records,
            readAgain: (file, closing.offset(of: .records)),
            lsn: lsn
        )
        let places = Self.places(order)
        guard places.allSatisfy({ $0 < table.count }) else { return nil }
        self.init(order: places, records, table)
    }

    /// Of a segment that has no closing index.
    package init(_ builder: SegmentIndexBuilder, at lsn: LSN) {
        let records = ClosingIndex.Part.records.encode(builder, nil)
        self.init(
            order: builder.byTimeline(),
            records,
            RecordTable(records, readAgain: nil, lsn: lsn)
        )
    }

    private static func places(_ bytes: [UInt8]) -> [UInt32] {
        unsafe bytes.withUnsafeBytes { raw in
            stride(from: 0, to: raw.count - 3, by: 4).map {
                unsafe UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
            }
        }
    }
}

/// The records of a closing index: in memory, or a sample of them there and the rest in the file.
private struct RecordTable: Sendable {
    /// Records between two of the sample.
    static let stride = 32
    static let entrySize = 48

    struct Sample: Sendable {
        let lsn: LSN
        let time: LogTime
        let checksum: UInt64
    }

    /// A stretch of the records, as bytes.
    struct Window {
        let first: Int
        let bytes: [UInt8]
    }

    /// The stretch that was read last: the record after a point mostly stands beside it.
    // Safe to share: the window is guarded by `lock`.
    final class RecentWindow: @unchecked Sendable {
        private let lock = Lock()
        private var window: Window?

        subscript(first: Int) -> Window? {
            lock.withLock { window?.first == first ? window : nil }
        }

        func keep(_ read: Window) { lock.withLock { window = read } }
    }

    let count: Int
    private let samples: [Sample]
    private let memory: [UInt8]
    private let file: (file: any File, offset: UInt64)?
    private let recent = RecentWindow()
    private let lsn: LSN

    init(_ records: [UInt8], readAgain: (any File, UInt64)?, lsn: LSN) {
        count = records.count / Self.entrySize
        file = readAgain
        memory = readAgain == nil ? records : []
        self.lsn = lsn
        samples = Swift.stride(from: 0, to: count, by: Self.stride).map { place in
            let start = place * Self.entrySize
            let end = min(start + Self.stride * Self.entrySize, records.count)
            return Sample(
                lsn: LSN(rawValue: Self.word(records, start)),
                time: LogTime(rawValue: Self.word(records, start + 8)),
                checksum: readAgain == nil ? 0 : Self.checksum(records, start..<end)
            )
        }
    }

    var byteCount: Int { samples.count * 24 + memory.count + Self.stride * Self.entrySize }

    private static func checksum(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
        unsafe bytes.withUnsafeBytes {
            unsafe Checksum.of(UnsafeRawBufferPointer(rebasing: $0[range]))
        }
    }

    /// The timeline of the record at a place.
    static func timeline(_ records: [UInt8], _ place: Int) -> UInt64 {
        word(records, place * entrySize + 24)
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        invariant(offset >= 0 && offset + 8 <= bytes.count, "a word outside of the records")
        return unsafe bytes.withUnsafeBytes {
            unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }

    /// How many records fit, where all that fit stand first, and the stretch where that ends.
    func rank(where fits: (LSN, LogTime) -> Bool) throws(LogError) -> (Int, Window) {
        let sample = samples.countOfFirst { fits($0.lsn, $0.time) }
        let window = try window(of: max(sample, 1) * Self.stride - 1)
        var place = window.first
        let end = window.first + window.bytes.count / Self.entrySize
        while place < end {
            let start = (place - window.first) * Self.entrySize
            let lsn = LSN(rawValue: Self.word(window.bytes, start))
            guard fits(lsn, LogTime(rawValue: Self.word(window.bytes, start + 8))) else { break }
            place += 1
        }
        return (place, window)
    }

    func entry(_ place: Int, _ near: Window) throws(LogError) -> RecordEntry {
        var window = near
        let known = near.first..<near.first + near.bytes.count / Self.entrySize
        if !known.contains(place) { window = try self.window(of: place) }
        let start = (place - window.first) * Self.entrySize
        do throws(Malformed) {
            var reader = ByteReader(Array(window.bytes[start..<start + Self.entrySize]))
            return try RecordEntry(from: &reader)
        } catch { throw .damaged(Damage(at: lsn, "an index of records: \(error.what)")) }
    }

    /// The stretch between two samples that a place stands in.
    private func window(of place: Int) throws(LogError) -> Window {
        let block = min(place, max(count - 1, 0)) / Self.stride
        let first = block * Self.stride
        let size = min(Self.stride, count - first) * Self.entrySize
        let start = first * Self.entrySize
        guard let file, size > 0 else {
            return Window(first: first, bytes: Array(memory[start..<start + max(size, 0)]))
        }
        if let known = recent[first] { return known }
        let bytes = try LogError.disk { () throws(DiskError) in
            try file.file.read(size, at: file.offset + UInt64(start))
        }
        guard bytes.count == size, Checksum.of(bytes) == samples[block].checksum else {
            throw .damaged(Damage(at: lsn, "an index of records is not what it was"))
        }
        let window = Window(first: first, bytes: bytes)
        recent.keep(window)
        return window
    }
}
