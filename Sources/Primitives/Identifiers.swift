/// A position in the log: 64 bits that only grow, never handed out twice.
///
/// It prints as `L16B3F28`, so that nobody takes it for a PostgreSQL WAL position, and so that it
/// fits into a file name.
public struct LSN: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The number of bytes of log that stand before this position.
    public let rawValue: UInt64

    /// Makes a position from its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Whether `left` stands before `right` in the log.
    @inlinable
    public static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }

    /// The position before everything.
    public static let zero = LSN(rawValue: 0)
    /// The position that no record ever reaches.
    public static let max = LSN(rawValue: .max)

    @inlinable
    package static func + (left: LSN, bytes: Int) -> LSN {
        LSN(rawValue: left.rawValue &+ UInt64(bytes))
    }
}

extension LSN: CustomStringConvertible, LosslessStringConvertible {
    /// `L` and the position in upper-case hexadecimal digits.
    public var description: String { "L" + String(rawValue, radix: 16, uppercase: true) }

    /// Reads what ``description`` prints; the digits may be of either case.
    public init?(_ description: String) {
        // Byte by byte: as characters, `L` and a combining mark are one, and the standard
        // library reads a sign before the digits.
        let bytes = description.utf8
        guard bytes.first == UInt8(ascii: "L"), (2...17).contains(bytes.count) else { return nil }
        var value: UInt64 = 0
        for byte in bytes.dropFirst() {
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                return nil
            }
            value = value << 4 | UInt64(digit)
        }
        rawValue = value
    }
}

/// What a file is to a volume: a named run of pages in a branch.
public struct ObjectID: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable,
    CustomStringConvertible
{
    /// The object's number.
    public let rawValue: UInt64

    /// Makes an object's id from its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Makes an object's id from its number.
    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Whether `left` has the lower number.
    @inlinable
    public static func < (left: ObjectID, right: ObjectID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The object's number in decimal digits.
    public var description: String { String(rawValue) }
}

/// The place of a page in its object, counted from zero.
public struct PageNumber: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable,
    ExpressibleByIntegerLiteral, CustomStringConvertible
{
    /// The number of pages before this one.
    public let rawValue: UInt64

    /// Makes a page number from its value.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Makes a page number from its value.
    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Makes a page number from a literal.
    @inlinable
    public init(integerLiteral value: UInt64) { rawValue = value }

    /// Whether `left` stands before `right`.
    @inlinable
    public static func < (left: PageNumber, right: PageNumber) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The page number in decimal digits.
    public var description: String { String(rawValue) }
}

/// A line of history with one writer: what a branch shows between two resets.
///
/// Its number is the LSN of the record that began it, so it is never used again.
public struct TimelineID: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable,
    CustomStringConvertible
{
    /// The LSN of the record that began the timeline.
    public let rawValue: UInt64

    /// Makes a timeline's id from its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    package init(_ birth: LSN) { rawValue = birth.rawValue }

    /// Whether `left` began before `right`.
    @inlinable
    public static func < (left: TimelineID, right: TimelineID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// `T` and the number in upper-case hexadecimal digits.
    public var description: String { "T" + String(rawValue, radix: 16, uppercase: true) }

    /// The timeline of records that belong to the store as a whole.
    package static let none = TimelineID(rawValue: 0)
}

/// What stays of a branch when its name changes. Never used again.
public struct BranchID: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable,
    CustomStringConvertible
{
    /// The LSN of the record that made the branch.
    public let rawValue: UInt64

    /// Makes a branch's id from its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable
    package init(_ birth: LSN) { rawValue = birth.rawValue }

    /// Whether `left` was made before `right`.
    @inlinable
    public static func < (left: BranchID, right: BranchID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// `B` and the number in upper-case hexadecimal digits.
    public var description: String { "B" + String(rawValue, radix: 16, uppercase: true) }
}
