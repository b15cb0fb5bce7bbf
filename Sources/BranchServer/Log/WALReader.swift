import Primitives

/// Follows the records of PostgreSQL's log, in blocks that may hold anything.
///
/// PostgreSQL writes its log from front to back, whole blocks each time, and each write is one
/// record of the branch or several in order. So what is there of it at any moment is a beginning of
/// it, and to know how far it reaches it is enough to look at the records around the end.
///
/// Positions are those between records: of a record's first byte, or the one behind its last,
/// rounded up to eight. Block headers are skipped, so just before and just behind one is the same.
package struct WALReader {
    package let geometry: WALGeometry
    /// The block at a position; nil where there is none.
    private let load: (UInt64) throws(WALError) -> [UInt8]?

    private static let headerBytes = 24
    package static let largestRecord: UInt64 = 1020 << 20

    package init(
        _ geometry: WALGeometry,
        load: @escaping (UInt64) throws(WALError) -> [UInt8]?
    ) {
        self.geometry = geometry
        self.load = load
    }

    private func block(at position: UInt64) throws(WALError) -> WALBlock? {
        guard position < WALGeometry.end else { return nil }
        return try load(position).flatMap { WALBlock($0, at: position, geometry) }
    }

    /// Whether all before a position is there, in whole records.
    package func reaches(_ position: UInt64) throws(WALError) -> Bool {
        let target = geometry.withoutHeader(position)
        guard target > 0 else { return true }
        guard let block = try lastBlock(upTo: geometry.block(of: target - 1)),
            let first = try firstRecord(before: target, from: block)
        else { return false }
        return try follow(from: first, until: target).end >= target
    }

    /// The end of the last whole record that ends in a file; nil where there is none.
    package func end(inFileAt start: UInt64) throws(WALError) -> UInt64? {
        try tail(ofFileAt: start)?.end
    }

    /// The last whole record that ends in a file; nil where there is none, or the last block goes
    /// on with a record that began further back than `reach`.
    package func lastRecord(
        inFileAt start: UInt64,
        reach: UInt64 = largestRecord
    ) throws(WALError) -> WALRecord? {
        try tail(ofFileAt: start, reach: reach)?.last
    }

    private func tail(
        ofFileAt start: UInt64,
        reach: UInt64 = largestRecord
    ) throws(WALError) -> Followed? {
        guard start < WALGeometry.end else { return nil }
        let last = start + geometry.segmentBytes - geometry.blockBytes
        guard let block = try lastBlock(upTo: last) else { return nil }
        // On the last block there may be no more than the rest of a record.
        for target in [block + geometry.blockBytes, block] where target > 0 {
            let from = target == block ? block - geometry.blockBytes : block
            guard let first = try firstRecord(before: target, from: from, reach: reach) else {
                continue
            }
            let followed = try follow(from: first, until: .max)
            if followed.end > first { return followed }
        }
        return nil
    }

    /// Where the last sound block of a file ends; nil where there is none.
    package func endOfBlocks(inFileAt start: UInt64) throws(WALError) -> UInt64? {
        guard start < WALGeometry.end else { return nil }
        let last = start + geometry.segmentBytes - geometry.blockBytes
        return try lastBlock(upTo: last).map { $0 + geometry.blockBytes }
    }

    /// The last block of a file up to one, whose header is sound: those before it are too.
    private func lastBlock(upTo block: UInt64) throws(WALError) -> UInt64? {
        if try self.block(at: block) != nil { return block }
        var low = block - block % geometry.segmentBytes
        guard try self.block(at: low) != nil else { return nil }
        var high = block
        while high - low > geometry.blockBytes {
            let middle = geometry.block(of: low + (high - low) / 2)
            if try self.block(at: middle) != nil { low = middle } else { high = middle }
        }
        return low
    }

    /// The first record on a block, or where that is behind the target, the record that goes on
    /// from earlier blocks.
    private func firstRecord(
        before target: UInt64,
        from last: UInt64,
        reach: UInt64 = largestRecord
    ) throws(WALError) -> UInt64? {
        var position = last
        var passed: UInt64 = 0
        while let block = try block(at: position) {
            let rest = block.isContinued && !block.voidsRecord ? block.remaining : 0
            let first = position + UInt64(block.headerBytes) + Self.aligned(rest)
            if first < min(target, position + geometry.blockBytes) { return first }
            // It goes on from before.
            guard rest > 0, position >= geometry.blockBytes, passed <= reach else {
                return nil
            }
            position -= geometry.blockBytes
            passed += geometry.blockBytes
        }
        return nil
    }

    private static func aligned(_ count: UInt64) -> UInt64 { (count + 7) & ~7 }

    /// How far a log was followed: to an end, and the whole record before it, where one was seen.
    private struct Followed {
        var end: UInt64
        var last: WALRecord?
    }

    /// The end of the last whole record from one on, up to the first that ends at or behind the
    /// target.
    private func follow(
        from first: UInt64,
        until target: UInt64
    ) throws(WALError) -> Followed {
        var position = first
        var followed = Followed(end: first)
        while followed.end < target {
            switch try record(at: position, after: followed.last?.position) {
            case nil: return followed
            case .whole(let record)?: followed = Followed(end: record.end, last: record)
            case .void(let next)?: followed.end = next
            }
            position = afterHeader(followed.end)
        }
        return followed
    }

    /// Whether something holds for all records behind one up to another. Not where one of them is
    /// not there in whole.
    package func holds(
        after mark: WALMark,
        upTo last: UInt64,
        _ condition: (WALRecord) -> Bool
    ) throws(WALError) -> Bool {
        var position = mark.position
        var previous: WALRecord?
        while position <= last {
            guard case .whole(let record)? = try record(at: position, after: previous?.position),
                previous == nil ? record.checksum == mark.checksum : condition(record)
            else { return false }
            if record.position == last { return true }
            previous = record
            position = afterHeader(record.end)
        }
        return false
    }

    private func afterHeader(_ position: UInt64) -> UInt64 {
        guard position % geometry.blockBytes == 0 else { return position }
        return position + geometry.headerBytes(at: position)
    }

    private enum Found {
        case whole(WALRecord)
        /// One that a crash left unfinished, and the block from which on the log goes on.
        case void(UInt64)
    }

    /// The record at a position; nil where none is, or not all of it.
    private func record(
        at start: UInt64,
        after previous: UInt64?
    ) throws(WALError) -> Found? {
        let first = geometry.block(of: start)
        guard var block = try block(at: first), let total = Self.length(block, start - first)
        else { return nil }
        let magic = block.magicNumber
        var parts = RecordParts()
        var place = Int(start - first)
        var position = first
        var left = total
        while true {
            let count = min(left, block.bytes.count - place)
            parts.add(block.bytes[place..<place + count])
            left -= count
            place += count
            if left == 0 { break }
            position += geometry.blockBytes
            guard let next = try self.block(at: position) else { return nil }
            if next.voidsRecord { return .void(position) }
            guard next.isContinued, next.remaining == UInt64(left) else { return nil }
            block = next
            place = block.headerBytes
        }
        guard let head = parts.head,
            previous.map({ head.previous == $0 }) ?? (head.previous < start)
        else { return nil }
        let end = Self.aligned(position + UInt64(place))
        let size = geometry.segmentBytes
        return .whole(
            WALRecord(
                position: start,
                end: head.isSwitch ? (end + size - 1) / size * size : end,
                checksum: head.checksum,
                magic: magic,
                owner: head.owner,
                kind: head.kind,
                length: total - Int(Self.headerBytes),
                beginning: parts.beginning
            )
        )
    }

    private static func length(_ block: WALBlock, _ offset: UInt64) -> Int? {
        guard offset % 8 == 0, Int(offset) + 4 <= block.bytes.count,
            Int(offset) >= block.headerBytes
        else { return nil }
        let bytes = block.bytes[Int(offset)..<Int(offset) + 4]
        let total = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (UInt64(headerBytes)...largestRecord).contains(total) ? Int(total) : nil
    }
}

/// The bytes of a record as they come: its header, and the checksum of the rest.
///
///     0  u32  length, header included     16  u8   flags
///     4  u32  transaction                 17  u8   whose it is, 2 bytes of nothing
///     8  u64  the record before           20  u32  CRC-32C of what follows, then of the 20 bytes
private struct RecordParts {
    private var header: [UInt8] = []
    /// Of what follows the header.
    private(set) var beginning: [UInt8] = []
    private var sum = WALChecksum()

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        let missing = 24 - header.count
        header += bytes.prefix(missing)
        let more = bytes.dropFirst(missing)
        beginning += more.prefix(WALRecord.lookedAt - beginning.count)
        sum.add(more)
    }

    struct Head {
        let previous: UInt64
        let checksum: UInt32
        let owner: UInt8
        let kind: UInt8
        let isSwitch: Bool
    }

    /// What a sound header says.
    var head: Head? {
        guard header.count == 24 else { return nil }
        var sum = sum
        sum.add(header[..<20])
        func number(_ range: Range<Int>) -> UInt64 {
            header[range].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard number(20..<24) == UInt64(sum.value) else { return nil }
        // Of the log's own, the one that ends a file before it is full.
        return Head(
            previous: number(8..<16),
            checksum: sum.value,
            owner: header[17],
            kind: header[16],
            isSwitch: header[17] == 0 && header[16] & 0xF0 == 0x40
        )
    }
}
