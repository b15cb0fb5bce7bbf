import Primitives

/// The segments that one file holds: one, or several in a row that were nearly dead and were
/// rewritten into one. Numbers in between may have nothing in it.
package struct SegmentSpan: Hashable, Sendable {
    package let first: SegmentNumber
    package let last: SegmentNumber

    package init(_ number: SegmentNumber) {
        first = number
        last = number
    }

    package init(_ first: SegmentNumber, through last: SegmentNumber) {
        invariant(first <= last, "a span of segments from \(first) to \(last)")
        self.first = first
        self.last = last
    }

    package var isOne: Bool { first == last }

    package func contains(_ number: SegmentNumber) -> Bool { first <= number && number <= last }

    package func contains(_ other: SegmentSpan) -> Bool {
        first <= other.first && other.last <= last
    }

    /// `0000000000000007.segment`, or `0000000000000007-000000000000000c.segment`.
    package var fileName: String {
        if isOne { return first.fileName }
        return first.digits + "-" + last.fileName
    }

    package init?(fileName: String) {
        if let number = SegmentNumber(fileName: fileName) {
            self.init(number)
            return
        }
        let parts = fileName.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let last = SegmentNumber(fileName: String(parts[1])),
            let first = SegmentNumber(fileName: parts[0] + ".segment"), first < last
        else { return nil }
        self.init(first, through: last)
    }
}

extension Geometry {
    /// The files of segments that names in a folder stand for, in order. What is named as one whose
    /// positions, or those of the next, 64 bits do not hold is none.
    package func spans(in names: [String]) -> [SegmentSpan] {
        names.compactMap(SegmentSpan.init(fileName:))
            .filter { $0.last.rawValue < .max >> UInt64(segmentBits) }
            .sorted { ($0.first, $0.last) < ($1.first, $1.last) }
    }

    /// The segments that have a file of their own, in order.
    package func segments(in names: [String]) -> [SegmentNumber] {
        spans(in: names).filter(\.isOne).map(\.first)
    }
}
