import DiskIO
import WriteAheadLog

/// The bounds of what a store can be told. Whatever is within them is taken; nothing else is.
extension StoreOptions {
    /// Throws where an option is not what it can be.
    func check() throws(OxbowError) {
        try checkGeometry()
        // The caches' memory is asked for at once, and taken when it is used.
        try Self.check("cacheBytes", cacheBytes, 0...max(1 << 30, SystemMemory.byteCount))
        try Self.check("bufferedFlushMilliseconds", bufferedFlushMilliseconds, 1...86_400_000)
        try Self.check("checkpointBytes", checkpointBytes, 1...UInt64.max)
        try Self.check("checkpointChanges", checkpointChanges, 1...1 << 30)
        if let zeroAheadBytes { try Self.check("zeroAheadBytes", zeroAheadBytes, 0...1 << 32) }
        try checkWindow(window)
    }

    /// The smallest limit of a store in memory: with less, not even the first segment is made.
    private static let smallestTemporary = 1 << 16

    /// Throws where an option, or the limit, is not what it can be for a store in memory.
    func check(temporary limit: Int) throws(OxbowError) {
        try check()
        try Self.check("limit", limit, Self.smallestTemporary...Int.max)
    }

    private func checkGeometry() throws(OxbowError) {
        guard Geometry(pageSize: pageSize, segmentBits: segmentBits).isValid else {
            throw OxbowError(
                .invalid,
                "pages of \(pageSize) bytes and segments of 2^\(segmentBits): pages are a power "
                    + "of two from 512 to 65,536, segments 2^16 to 2^32, with room for many pages"
            )
        }
    }

    private static func check<Number: FixedWidthInteger>(
        _ name: String,
        _ value: Number,
        _ range: ClosedRange<Number>
    ) throws(OxbowError) {
        guard range.contains(value) else {
            throw OxbowError(
                .invalid,
                "the option \(name) is \(value): it goes from \(range.lowerBound) to "
                    + "\(range.upperBound)"
            )
        }
    }
}

/// Throws where a window cannot be asked for.
func checkWindow(_ duration: Duration) throws(OxbowError) {
    guard duration >= .zero else { throw OxbowError(.invalid, "a window must not be negative") }
}
