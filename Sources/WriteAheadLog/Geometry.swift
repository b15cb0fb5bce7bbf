package import Primitives

/// The number of a segment: which stretch of the log's positions it holds.
package struct SegmentNumber: RawRepresentable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    package let rawValue: UInt64

    @inlinable
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: SegmentNumber, right: SegmentNumber) -> Bool {
        left.rawValue < right.rawValue
    }

    package var description: String { String(rawValue) }
    package var next: SegmentNumber { SegmentNumber(rawValue: rawValue + 1) }

    /// `0000000000000007.segment`: sixteen hexadecimal digits, so that names sort as numbers do.
    package var fileName: String { digits + ".segment" }

    var digits: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package init?(fileName: String) {
        guard fileName.utf8.count == 24, fileName.hasSuffix(".segment"),
            let value = UInt64(fileName.prefix(16), radix: 16)
        else { return nil }
        rawValue = value
        guard self.fileName == fileName else { return nil }
    }
}

/// The sizes that a store was made with. Fields of the format.
package struct Geometry: Equatable, Sendable {
    /// Bytes in a page.
    package let pageSize: Int
    /// A segment holds 2 to this power positions of the log.
    package let segmentBits: Int

    package init(pageSize: Int = 8192, segmentBits: Int = 26) {
        self.pageSize = pageSize
        self.segmentBits = segmentBits
    }

    package static let pageSizes = 512...65_536
    package static let segmentBitsRange = 16...32

    package var isValid: Bool {
        Self.pageSizes.contains(pageSize) && pageSize & (pageSize - 1) == 0
            && Self.segmentBitsRange.contains(segmentBits)
            && maximumRecordBytes >= 2 * pageSize + 1024
    }

    package var segmentSize: UInt64 { 1 << UInt64(segmentBits) }
    /// The longest record; also the size of one piece of the tail buffer.
    package var maximumRecordBytes: Int { min(1 << 20, Int(segmentSize) / 2 - 4096) }
    /// More records and blocks than this start a new segment, so that an index has a bound.
    package var maximumEntriesPerSegment: Int { 65_536 }

    @inlinable
    package func segment(of lsn: LSN) -> SegmentNumber {
        SegmentNumber(rawValue: lsn.rawValue >> UInt64(segmentBits))
    }

    package func base(of segment: SegmentNumber) -> LSN {
        LSN(rawValue: segment.rawValue << UInt64(segmentBits))
    }

    package func offset(of lsn: LSN) -> UInt64 { lsn.rawValue & (segmentSize - 1) }

    /// Where the first record of a segment stands.
    package func firstRecord(of segment: SegmentNumber) -> LSN {
        base(of: segment) + SegmentHeader.size
    }
}

/// Up to the next multiple of eight: records and blocks begin at such positions.
@inlinable
package func aligned(_ count: Int) -> Int { (count + 7) & ~7 }
