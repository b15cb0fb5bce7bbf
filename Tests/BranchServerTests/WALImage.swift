import BranchServer
import Testing

/// A log as PostgreSQL would write it, made up.
struct WALImage {
    static let block: UInt64 = 8192
    static let segment: UInt64 = 1 << 20
    static let timeline: UInt32 = 1

    let geometry: WALGeometry
    /// Where the log begins: at the second file, as a new cluster's.
    let start: UInt64
    private(set) var bytes: [UInt8] = []
    /// Where each record begins and ends.
    private(set) var records: [Range<UInt64>] = []
    private var previous: UInt64 = 0
    /// Version 15's.
    var magic: UInt64 = 0xD110

    init(start: UInt64 = WALImage.segment) throws {
        self.start = start
        geometry = try #require(
            WALGeometry(segmentBytes: Self.segment, blockBytes: Self.block)
        )
    }

    var position: UInt64 { start + UInt64(bytes.count) }
    var end: UInt64 { records.last?.upperBound ?? 0 }

    static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    private mutating func beginBlock(remaining: Int, _ more: UInt16 = 0) {
        let isFirst = position % Self.segment == 0
        let flags = (remaining > 0 ? 1 : 0) | (isFirst ? 2 : 0) | more
        let at = position
        bytes += Self.little(magic, 2) + Self.little(UInt64(flags), 2)
        bytes += Self.little(UInt64(Self.timeline), 4) + Self.little(at, 8)
        bytes += Self.little(UInt64(remaining), 4) + Self.little(0, 4)
        if isFirst {
            bytes += Self.little(77, 8) + Self.little(Self.segment, 4) + Self.little(Self.block, 4)
        }
    }

    private mutating func put(_ record: [UInt8], upTo count: Int) {
        for (index, byte) in record.prefix(count).enumerated() {
            if position % Self.block == 0 { beginBlock(remaining: record.count - index) }
            bytes.append(byte)
        }
    }

    private func made(_ payload: [UInt8], _ owner: UInt8, _ info: UInt8) -> [UInt8] {
        var head = Self.little(UInt64(payload.count + 24), 4) + Self.little(0, 4)
        head += Self.little(previous, 8) + [info, owner, 0, 0]
        var sum = WALChecksum()
        sum.add(payload)
        sum.add(head)
        return head + Self.little(UInt64(sum.value), 4) + payload
    }

    mutating func append(_ payload: [UInt8], owner: UInt8 = 10, info: UInt8 = 0) {
        if position % Self.block == 0 { beginBlock(remaining: 0) }
        let first = position
        let record = made(payload, owner, info)
        put(record, upTo: record.count)
        while position % 8 != 0 { bytes.append(0) }
        records.append(first..<position)
        previous = first
    }

    /// Ends the file before it is full.
    mutating func switchFile() {
        append([], owner: 0, info: 0x40)
        let end = (position + Self.segment - 1) / Self.segment * Self.segment
        bytes += [UInt8](repeating: 0, count: Int(end - position))
        let last = records.removeLast()
        records.append(last.lowerBound..<end)
    }

    /// A record that a crash cut off at the end of a block, and what goes on behind it.
    mutating func voidRecord() {
        if position % Self.block == 0 { beginBlock(remaining: 0) }
        let room = Int(Self.block - position % Self.block)
        put(made([UInt8](repeating: 9, count: room + 100), 10, 0), upTo: room)
        beginBlock(remaining: 0, 8)
        append([1, 2, 3])
    }

    /// All blocks, the last one filled up.
    var padded: [UInt8] {
        bytes + [UInt8](repeating: 0, count: (8192 - bytes.count % 8192) % 8192)
    }

    /// What reads the first so many bytes of it.
    func reader(_ content: [UInt8]) -> WALReader {
        let start = start
        return WALReader(geometry) { position throws(WALError) in
            guard position >= start, position - start + Self.block <= content.count else {
                return nil
            }
            let first = Int(position - start)
            return Array(content[first..<first + Int(Self.block)])
        }
    }

    static func control(
        checkpoint: UInt64,
        cluster: UInt64 = 77,
        timeline: UInt32 = WALImage.timeline,
        recoveryTimeline: UInt32 = 0,
        version: UInt64 = 1300,
        checksumOffset: Int = 288
    ) -> [UInt8] {
        var bytes = little(cluster, 8) + little(version, 4) + little(0, 20)
        bytes += little(checkpoint, 8) + little(checkpoint, 8) + little(UInt64(timeline), 4)
        bytes += little(0, 144 - bytes.count) + little(UInt64(recoveryTimeline), 4)
        bytes += little(0, checksumOffset - bytes.count)
        var sum = WALChecksum()
        sum.add(bytes)
        bytes += little(UInt64(sum.value), 4)
        return bytes + [UInt8](repeating: 0, count: 8192 - bytes.count)
    }
}
