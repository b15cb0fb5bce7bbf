import Foundation
import Primitives
import TestSupport
import Testing

@Suite struct RFC3339Tests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (1, "1970-01-01T00:00:00.000000001Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (1_775_688_962_000_000_000, "2026-04-08T22:56:02.000000000Z"),
            (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999999Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (13_601_087_999_000_000_000, "2400-12-31T23:59:59.000000000Z"),
            (18_446_744_073_000_000_000, "2554-07-21T23:34:33.000000000Z"),
            (.max, "2554-07-21T23:34:33.709551615Z"),
        ] as [(UInt64, String)]
    )
    func `known times print and read`(nanoseconds: UInt64, text: String) {
        #expect(LogTime(nanoseconds: nanoseconds).description == text)
        #expect(LogTime(rfc3339: text)?.rawValue == nanoseconds)
    }

    @Test func `every time reads back as printed`() {
        var random = SeededRandom(test: 3)
        for _ in 0..<20_000 {
            let time = LogTime(rawValue: random.oneIn(2) ? random.next() : random.anyWidth())
            #expect(LogTime(rfc3339: time.description) == time)
        }
    }

    @Test func `every day from 1970 to 2554 follows the one before`() throws {
        var previous = ""
        for day in 0..<UInt64(213_503) {
            let time = LogTime(nanoseconds: day * 86_400 * 1_000_000_000)
            let text = time.description
            try #require(text > previous)
            try #require(LogTime(rfc3339: text) == time)
            previous = text
        }
        #expect(previous.hasPrefix("2554-07-20"))
    }

    @Test func `the calendar is Foundation's`() throws {
        var random = SeededRandom(test: 4)
        let style = Date.ISO8601FormatStyle()
        for _ in 0..<2_000 {
            let seconds = random.below(18_446_744_073)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let time = LogTime(nanoseconds: UInt64(seconds) * 1_000_000_000)
            #expect(time.description.prefix(19) + "Z" == date.formatted(style))
            #expect(LogTime(rfc3339: date.formatted(style)) == time)
        }
    }

    @Test(arguments: [
        "2026-04-08T22:56:02Z", "2026-04-08t22:56:02z", "2026-04-08 22:56:02Z",
        "2026-04-08T22:56:02.0Z", "2026-04-09T00:56:02+02:00", "2026-04-08T22:56:02-00:00",
        "2026-04-09 00:56:02+02", "2026-04-09T00:56:02+0200", "2026-04-08 20:26:02-0230",
        "2026-04-08T17:26:02-05:30", "2026-04-09T22:55:02+23:59", "2026-04-07T22:57:02-23:59",
    ])
    func `one moment has many spellings`(text: String) {
        #expect(LogTime(rfc3339: text)?.rawValue == 1_775_688_962_000_000_000)
    }

    @Test func `zones agree with Foundation`() throws {
        var random = SeededRandom(test: 5)
        for _ in 0..<500 {
            let seconds = 100_000 + random.below(18_446_000_000)
            let minutes = random.below(18 * 60)
            let sign = random.oneIn(2) ? 1 : -1
            let zone = try #require(TimeZone(secondsFromGMT: sign * minutes * 60))
            let style = Date.ISO8601FormatStyle(
                timeZoneSeparator: .colon,
                timeZone: zone
            )
            let text = Date(timeIntervalSince1970: Double(seconds)).formatted(style)
            #expect(LogTime(rfc3339: text)?.rawValue == UInt64(seconds) * 1_000_000_000, "\(text)")
        }
    }

    @Test(
        arguments: [
            (".5", 500_000_000), (".05", 50_000_000), (".123456789", 123_456_789),
            (".000000001", 1), (".999999999", 999_999_999), (".100", 100_000_000),
            (".1234567890", 123_456_789), (".1234567899", 123_456_789), (".0000000009", 0),
            ("." + String(repeating: "9", count: 80), 999_999_999),
        ] as [(String, UInt64)]
    )
    func `a fraction has one digit or more, of which nine count`(
        fraction: String,
        nanoseconds: UInt64
    ) {
        #expect(LogTime(rfc3339: "1970-01-01T00:00:00\(fraction)Z")?.rawValue == nanoseconds)
    }

    @Test(arguments: [
        "2000-02-29", "2024-02-29", "2400-02-29", "2026-02-28", "2026-01-31", "2026-04-30",
    ])
    func `a day that is in the calendar reads`(day: String) {
        #expect(LogTime(rfc3339: "\(day)T00:00:00Z")?.description.hasPrefix(day) == true)
    }

    @Test(arguments: [
        "2026-02-29", "2100-02-29", "2200-02-29", "2026-02-30", "2026-04-31", "2026-06-31",
        "2026-09-31", "2026-11-31", "2026-01-32", "2026-01-00", "2026-00-01", "2026-13-01",
    ])
    func `a day that is in no calendar does not`(day: String) {
        #expect(LogTime(rfc3339: "\(day)T00:00:00Z") == nil)
    }

    @Test(arguments: [
        "", "Z", "2026", "2026-04-08", "2026-04-08T22:56:02", "2026-04-08T22:56Z",
        "2026-04-08T22:56:02.Z", "2026-04-08T22:56:02,5Z",
        "2026-04-08T24:00:00Z", "2026-04-08T22:60:02Z", "2026-04-08T22:56:60Z",
        "2026-04-08T22:56:02+24:00", "2026-04-08T22:56:02+02:60", "2026-04-08T22:56:02+020",
        "2026-04-08T22:56:02+2", "2026-04-08T22:56:02+02:", "2026-04-08T22:56:02+0260",
        "2026-04-08T22:56:02 Z", "2026-04-08T22:56:02ZZ",
        "2026-04-08T22:56:02Z ", " 2026-04-08T22:56:02Z", "2026-4-8T22:56:02Z",
        "+2026-04-08T22:56:02Z", "02026-04-08T22:56:02Z", "2026/04/08T22:56:02Z",
        "2026-04-08_22:56:02Z", "2026-04-08T-2:56:02Z", "２026-04-08T22:56:02Z",
        "2026-04-08T22:56:02\u{301}Z", "2026-04-08T22:56:02Z" + String(repeating: "0", count: 90),
        "2016-12-31T22:59:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:61Z",
        "2016-12-31T23:59:60+01:00", "2026-04-08T22:56:02." + String(repeating: "0", count: 300),
        "2026-04-08T22:56:02." + String(repeating: "0", count: 108) + "Z0",
    ])
    func `what is no moment does not read`(text: String) {
        #expect(LogTime(rfc3339: text) == nil)
    }

    @Test(arguments: [
        "1969-12-31T23:59:59Z", "1960-01-01T00:00:00Z", "1970-01-01T00:00:00+00:01",
        "0000-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "1968-12-31T23:59:60Z",
    ])
    func `a time before all others is the first`(text: String) {
        #expect(LogTime(rfc3339: text) == .zero)
    }

    @Test(arguments: [
        "2554-07-21T23:34:33.709551615Z", "2554-07-21T23:34:33.709551616Z",
        "2554-07-21T23:34:34Z", "2600-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:60Z",
    ])
    func `a time after all others is the last`(text: String) {
        #expect(LogTime(rfc3339: text)?.rawValue == .max)
    }

    @Test(arguments: [
        "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "2017-01-01T01:59:60+02:00",
        "2016-12-31T18:59:60-05:00",
    ])
    func `a leap second ends before the next day begins`(text: String) throws {
        let next = try #require(LogTime(rfc3339: "2017-01-01T00:00:00Z"))
        #expect(LogTime(rfc3339: text)?.rawValue == next.rawValue - 1)
    }

    @Test func `any text reads or does not, and never traps`() {
        var random = SeededRandom(test: 6)
        let alphabet = Array("0123456789-:.TZtz+ é")
        for _ in 0..<20_000 {
            var text = Array(LogTime(rawValue: random.next()).description)
            for _ in 0..<1 + random.below(4) {
                text[random.below(text.count)] = alphabet[random.below(alphabet.count)]
            }
            guard let time = LogTime(rfc3339: String(text)) else { continue }
            #expect(LogTime(rfc3339: time.description) == time)
        }
    }
}
