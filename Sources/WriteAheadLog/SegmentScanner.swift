package import DiskIO
package import Primitives

/// Walks the records of one segment in order, as they lie in its file.
package struct SegmentScanner {
    private static let windowSize = 4 << 20

    private let file: any File
    private let geometry: Geometry
    private let base: LSN
    private let incarnation: UInt64
    private let blockSeed: UInt64
    private var window: [UInt8] = []
    private var windowStart: UInt64 = 0
    private var windowEndsFile = false
    /// Where the next record is looked for.
    package private(set) var position: LSN

    package init(file: any File, header: SegmentHeader, from start: LSN? = nil) {
        self.file = file
        geometry = header.geometry
        base = header.geometry.base(of: header.number)
        incarnation = header.incarnation
        blockSeed = header.store.blockSeed
        position = start ?? header.geometry.firstRecord(of: header.number)
    }

    /// The record at `position`, past which it goes; nil where no sound one stands.
    package mutating func next() throws(DiskError) -> Record? {
        let maximum = geometry.maximumRecordBytes
        var offset = position.rawValue - base.rawValue
        guard offset < geometry.segmentSize else { return nil }
        try fill(from: offset, atLeast: RecordHeader.size)
        // Most records are short; only a long one makes the window move on.
        if let length = headerLength(at: offset), length <= maximum {
            try fill(from: offset, atLeast: length)
        }
        offset -= windowStart
        let record = unsafe window.withUnsafeBytes { bytes -> Record? in
            guard Int(offset) < bytes.count else { return nil }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[Int(offset)...])
            return unsafe Record.load(
                rest,
                at: position,
                incarnation: incarnation,
                blockSeed: blockSeed
            )
        }
        guard let record, Int(record.header.length) <= maximum else { return nil }
        position = record.end
        return record
    }

    /// Says of the record at `position`, which is not sound, whose it is, and which page's block.
    package mutating func identify(_ damage: inout Damage) throws(DiskError) {
        let offset = position.rawValue - base.rawValue
        try fill(from: offset, atLeast: geometry.maximumRecordBytes)
        unsafe window.withUnsafeBytes { bytes in
            let start = Int(offset - windowStart)
            guard start < bytes.count else { return }
            unsafe Record.identify(
                UnsafeRawBufferPointer(rebasing: bytes[start...]),
                at: position,
                incarnation: incarnation,
                blockSeed: blockSeed,
                &damage
            )
        }
    }

    /// The highest durable position that a sound record header at or after `start` tells of.
    ///
    /// Looked for at every multiple of eight, since what stands at `start` is not a record, so
    /// nothing says where the next one begins.
    package mutating func durableTold(from start: LSN) throws(DiskError) -> LSN? {
        var highest: LSN?
        var offset = start.rawValue - base.rawValue
        while offset < geometry.segmentSize {
            try fill(from: offset, atLeast: Self.windowSize)
            let from = Int(offset - windowStart)
            let count = window.count - from
            guard count >= RecordHeader.size else { break }
            let told = searchWindow(from)
            highest = [highest, told].compactMap { $0 }.max()
            if windowEndsFile { break }
            offset += UInt64(count - RecordHeader.size) & ~7
        }
        return highest
    }

    private func searchWindow(_ from: Int) -> LSN? {
        unsafe window.withUnsafeBytes { bytes -> LSN? in
            var highest: LSN?
            var place = from
            while place + RecordHeader.size <= bytes.count {
                let candidate = unsafe UnsafeRawBufferPointer(rebasing: bytes[place...])
                let lsn = base + (Int(windowStart) + place)
                let seed = RecordHeader.seed(incarnation: incarnation, lsn: lsn)
                if let header = unsafe RecordHeader.load(candidate, seed: seed) {
                    highest = max(highest ?? .zero, header.durable)
                }
                place += 8
            }
            return highest
        }
    }

    private func headerLength(at offset: UInt64) -> Int? {
        let place = Int(offset - windowStart)
        guard place + 4 <= window.count else { return nil }
        return unsafe window.withUnsafeBytes {
            unsafe Int(
                UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self))
            )
        }
    }

    private mutating func fill(from offset: UInt64, atLeast count: Int) throws(DiskError) {
        let have = windowStart + UInt64(window.count)
        if offset >= windowStart, offset + UInt64(count) <= have { return }
        if offset >= windowStart, offset <= have, windowEndsFile, !window.isEmpty { return }
        let limit = Int(min(UInt64(Self.windowSize), geometry.segmentSize - offset))
        window = try file.read(max(limit, 0), at: offset)
        windowStart = offset
        windowEndsFile =
            window.count < limit || offset + UInt64(limit) >= geometry.segmentSize
    }
}

extension SegmentHeader {
    /// Reads the header of a segment's file and holds it against what it must say.
    package static func load(
        _ file: any File,
        _ span: SegmentSpan,
        _ store: StoreID,
        _ geometry: Geometry
    ) throws(LogError) -> SegmentHeader {
        let number = span.first
        let place = geometry.base(of: number)
        let bytes = try LogError.disk { () throws(DiskError) in try file.read(size, at: 0) }
        let header: SegmentHeader
        do throws(Malformed) { header = try decode(bytes) } catch {
            throw .damaged(Damage(at: place, "segment \(number)'s header: \(error.what)"))
        }
        guard header.span == span, header.store == store, header.geometry == geometry else {
            throw .damaged(Damage(at: place, "segment \(number)'s file is another segment's"))
        }
        return header
    }
}
