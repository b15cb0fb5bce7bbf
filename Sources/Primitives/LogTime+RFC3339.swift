extension LogTime: CustomStringConvertible {
    /// RFC 3339 in UTC with nine digits of fraction, such as `2026-04-08T22:56:02.000000000Z`.
    public var description: String {
        let seconds = rawValue / 1_000_000_000
        let (year, month, day) = Self.civil(fromDays: Int64(seconds / 86_400))
        let rest = seconds % 86_400
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
        let hours = Self.padded(Int64(rest / 3600), 2)
        let minutes = Self.padded(Int64(rest / 60 % 60), 2)
        let whole = Self.padded(Int64(rest % 60), 2)
        let fraction = Self.padded(Int64(rawValue % 1_000_000_000), 9)
        return "\(date)T\(hours):\(minutes):\(whole).\(fraction)Z"
    }

    /// Reads RFC 3339: date, `T` or a space, time, a fraction, of which nine digits count, and a
    /// zone (`Z` or `+02:00`; also `+0200` and `+02`, as PostgreSQL writes times). Nothing is
    /// guessed: without a zone it is no moment.
    ///
    /// A leap second (`23:59:60` at the end of a month, in UTC) is the last nanosecond before the
    /// next day: it is after all of the second before it, and not yet in the one after it. A time
    /// that is out of range (before 1970, or after July 2554) is the first, or the last, that is
    /// in it.
    public init?(rfc3339 text: String) {
        var scanner = Scanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2),
            scanner.skip("-"), let day = scanner.number(2),
            scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2),
            scanner.skip(":"), let second = scanner.number(2),
            let fraction = scanner.fraction(), let zone = scanner.zoneSeconds(), scanner.isAtEnd,
            (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, of: year),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = Self.days(fromCivil: year, month, day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - zone
        guard second == 60 else {
            rawValue = Self.nanoseconds(seconds, fraction)
            return
        }
        guard Self.beginsMonth(seconds) else { return nil }
        rawValue = Self.nanoseconds(seconds - 1, 999_999_999)
    }

    /// Nanoseconds since 1970, cut to what 64 bits hold.
    private static func nanoseconds(_ seconds: Int64, _ fraction: Int64) -> UInt64 {
        guard seconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow2) = whole.addingReportingOverflow(UInt64(fraction))
        return overflow || overflow2 ? .max : sum
    }

    private static func beginsMonth(_ seconds: Int64) -> Bool {
        seconds % 86_400 == 0 && civil(fromDays: seconds / 86_400).2 == 1
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        let next =
            month == 12 ? days(fromCivil: year + 1, 1, 1) : days(fromCivil: year, month + 1, 1)
        return next - days(fromCivil: year, month, 1)
    }

    // The proleptic Gregorian calendar in eras of 400 years (146,097 days) that begin in March, so
    // that the leap day is the last of its year.
    private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day)
    }
}

/// Takes the parts of a time off the front of a text.
private struct Scanner {
    private let bytes: [UInt8]
    private var offset = 0

    /// One byte more than any time that is read has, so that none is cut off into one.
    private static let limit = 129

    init(_ text: String) { bytes = Array(text.utf8.prefix(Self.limit)) }

    var isAtEnd: Bool { offset == bytes.count && bytes.count < Self.limit }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard offset < bytes.count, UInt32(bytes[offset]) == character.value else { return false }
        offset += 1
        return true
    }

    mutating func digit() -> Int64? {
        guard offset < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset])
        else { return nil }
        offset += 1
        return Int64(bytes[offset - 1] - UInt8(ascii: "0"))
    }

    mutating func number(_ width: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<width {
            guard let next = digit() else { return nil }
            value = value * 10 + next
        }
        return value
    }

    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        var value: Int64 = 0
        var digits = 0
        while let next = digit() {
            digits += 1
            if digits <= 9 { value = value * 10 + next }
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 9)..<9 { value *= 10 }
        return value
    }

    mutating func zoneSeconds() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64 = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), hours < 24 else { return nil }
        if isAtEnd { return sign * hours * 3600 }
        _ = skip(":")
        guard let minutes = number(2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
