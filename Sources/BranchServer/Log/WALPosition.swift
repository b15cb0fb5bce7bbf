/// A position in PostgreSQL's write-ahead log, as `pg_current_wal_lsn()` prints it: `0/16B3F28`.
package struct WALPosition: RawRepresentable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: WALPosition, right: WALPosition) -> Bool {
        left.rawValue < right.rawValue
    }

    package var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/"
            + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }
}

/// Why a position of PostgreSQL's log leads to no record.
package struct WALError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the caller can do.
    package enum Kind: String, Sendable {
        /// Ask on a branch that holds a PostgreSQL.
        case noCluster
        /// Ask for one that is still kept.
        case beforeHistory
        /// Come again: the log does not reach so far.
        case beyondHead
        /// Mend what is in the branch, or the store.
        case failed
    }

    package let kind: Kind
    /// What is wrong, and which positions there are.
    package let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

extension Refusal {
    /// The position leads nowhere.
    package init(_ error: WALError) {
        let state =
            switch error.kind {
            case .noCluster: "0A000"
            case .beforeHistory: "42704"
            case .beyondHead: "22023"
            case .failed: "XX001"
            }
        self.init(state, error.message)
    }
}

/// How a PostgreSQL cuts its log, which it is made with.
package struct WALGeometry: Hashable, Sendable {
    package let segmentBytes: UInt64
    package let blockBytes: UInt64

    /// No log comes so far; so positions can be counted on from without a thought.
    static let end: UInt64 = 1 << 63

    /// Nil for sizes that no PostgreSQL has.
    package init?(segmentBytes: UInt64, blockBytes: UInt64) {
        guard (1 << 20...1 << 30).contains(segmentBytes), (1 << 10...1 << 16).contains(blockBytes),
            segmentBytes.nonzeroBitCount == 1, blockBytes.nonzeroBitCount == 1
        else { return nil }
        self.segmentBytes = segmentBytes
        self.blockBytes = blockBytes
    }

    func block(of position: UInt64) -> UInt64 { position & ~(blockBytes - 1) }

    /// How many bytes a block begins with that are no record's.
    func headerBytes(at block: UInt64) -> UInt64 {
        block % segmentBytes == 0 ? WALBlock.longHeaderBytes : WALBlock.headerBytes
    }

    /// The end of a record that a position in the header of the block after it stands for.
    func withoutHeader(_ position: UInt64) -> UInt64 {
        let start = block(of: position)
        return position - start <= headerBytes(at: start) ? start : position
    }

    /// The name of the file that holds a position.
    func fileName(of position: UInt64, timeline: UInt32) -> String {
        let each = (1 << 32) / segmentBytes
        let number = position / segmentBytes
        return [UInt64(timeline), number / each, number % each].map { part in
            let digits = String(part, radix: 16, uppercase: true)
            return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        }.joined()
    }

    /// What the name of a file says: its timeline, and where it begins; nil where it is none.
    func file(named name: [UInt8]) -> (timeline: UInt32, start: UInt64)? {
        guard let (timeline, high, low) = Self.numbers(in: name) else { return nil }
        let each = (1 << 32) / segmentBytes
        guard UInt64(low) < each else { return nil }
        return (timeline, (UInt64(high) * each + UInt64(low)) * segmentBytes)
    }

    static func numbers(in name: [UInt8]) -> (UInt32, UInt32, UInt32)? {
        guard name.count == 24,
            name.allSatisfy({ (48...57).contains($0) || (65...70).contains($0) })
        else { return nil }
        let parts = [0, 8, 16].compactMap { start in
            UInt32(String(decoding: name[start..<start + 8], as: UTF8.self), radix: 16)
        }
        return parts.count == 3 ? (parts[0], parts[1], parts[2]) : nil
    }
}
