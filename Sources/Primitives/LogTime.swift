/// A moment of the log: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Within a store no two records have the same time, and times grow as LSNs do.
public struct LogTime: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public let rawValue: UInt64

    /// Makes a moment from its nanoseconds since 1970-01-01T00:00:00Z.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Makes a moment from its nanoseconds since 1970-01-01T00:00:00Z.
    @inlinable
    public init(nanoseconds: UInt64) { rawValue = nanoseconds }

    /// Whether `left` is earlier.
    @inlinable
    public static func < (left: LogTime, right: LogTime) -> Bool { left.rawValue < right.rawValue }

    /// The moment before every other.
    public static let zero = LogTime(rawValue: 0)

    /// The moment that much later, or the last one there is.
    public func advanced(by duration: Duration) -> LogTime {
        let nanoseconds = duration.wholeNanoseconds
        if nanoseconds < 0 {
            let back = nanoseconds.magnitude
            return LogTime(rawValue: rawValue > back ? rawValue - back : 0)
        }
        let (sum, overflow) = rawValue.addingReportingOverflow(UInt64(nanoseconds))
        return LogTime(rawValue: overflow ? .max : sum)
    }

    /// How much later this moment is than the other.
    public func since(_ other: LogTime) -> Duration {
        let later = self >= other
        let distance = later ? rawValue - other.rawValue : other.rawValue - rawValue
        let whole = Duration(
            secondsComponent: Int64(distance / 1_000_000_000),
            attosecondsComponent: Int64(distance % 1_000_000_000) * 1_000_000_000
        )
        return later ? whole : .zero - whole
    }
}

extension Duration {
    /// The duration in whole nanoseconds, towards zero, cut to what 64 bits hold in both
    /// directions (292 years).
    package var wholeNanoseconds: Int64 {
        // Compared first: a duration can have more seconds than `components` can give.
        let limit = Duration.nanoseconds(Int64.max)
        if self >= limit { return .max }
        if self <= .zero - limit { return -.max }
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
