import Foundation
import Oxbow
import OxbowCLI
import TestSupport
import Testing

@Suite struct OutputTests {
    @Test func `JSON escapes what it must, and others read it`() throws {
        let hostile = "\"\\/\n\r\t\u{0}\u{1F}\u{7F}\u{2028}é𝄞\u{301}"
        let value: JSON = [
            "text": .string(hostile), "empty": [], "none": [:], "null": nil, "yes": true,
            "list": [1, -2], "large": JSON(UInt64.max), "nested": ["a": [["b": "c"]]],
        ]
        for text in [value.text, value.indentedText] {
            let read = try Document(Array(text.utf8))
            #expect(read.text("text") == hostile)
            #expect(read.at("null") == nil)
            #expect(read.flag("yes") == true)
            #expect(read.number("list.1") == -2)
            #expect((read.at("large") as? NSNumber)?.uint64Value == .max)
            #expect(read.text("nested.a.0.b") == "c")
        }
        #expect(!value.text.contains("\n"))
        let keys: JSON = ["z": 1, "a": 2]
        #expect(keys.text == #"{"z":1,"a":2}"#)
    }

    @Test func `any text survives JSON`() throws {
        var random = SeededRandom(test: 1)
        for _ in 0..<200 {
            let text = String(decoding: random.bytes(Int(random.below(40))), as: UTF8.self)
            let read = try Document(Array(JSON.string(text).text.utf8))
            #expect(read.value as? String == text)
        }
    }

    @Test func `base64 is that of others`() {
        var random = SeededRandom(test: 2)
        for count in 0..<70 {
            let bytes = random.bytes(count)
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
        }
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_575, "1023.9 KiB"),
        (1_048_576, "1.0 MiB"), (UInt64.max, "15.9 EiB"),
    ])
    func `bytes in words`(count: UInt64, text: String) { #expect(Text.bytes(count) == text) }

    @Test(arguments: [
        (Duration.nanoseconds(5), "5 ns"), (.milliseconds(20), "20 ms"), (.seconds(9), "9.0 s"),
        (.milliseconds(59_990), "59.9 s"), (.seconds(61), "1m 1s"), (.seconds(3700), "1h 1m"),
        (.seconds(90_000), "1d 1h"),
    ])
    func `durations in words`(duration: Duration, text: String) {
        #expect(Text.duration(duration) == text)
    }

    @Test func `a shortened time is the same time`() {
        for text in ["2026-04-08T22:56:02Z", "2026-04-08T22:56:02.5Z", "1970-01-01T00:00:00Z"] {
            let time = LogTime(rfc3339: text)
            #expect(time.map(Text.time) == text)
        }
    }

    @Test func `nothing from a store moves the cursor`() {
        #expect(Text.plain("a\u{1B}[31mb\u{9B}c\n") == "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}")
    }

    @Test func `columns are as wide as what is in them`() {
        var table = Table([("A", .left), ("BYTES", .right), ("", .left)])
        table.add(["long name", "7", ""])
        table.add(["x", "1000000", "note"])
        #expect(
            table.lines == ["A            BYTES", "long name        7", "x          1000000  note"]
        )
    }

    @Test(arguments: [
        ("branch", "branch", 0), ("brnch", "branch", 1), ("barnch", "branch", 1),
        ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3),
    ])
    func `how far words are apart`(left: String, right: String, distance: Int) {
        #expect(Suggestion.distance(left, right) == distance)
    }

    @Test func `a word that is near nothing gets no suggestion`() {
        #expect(Suggestion.nearest(to: "xyzzy", among: ["branch", "point"]) == nil)
        #expect(Suggestion.nearest(to: String(repeating: "a", count: 99), among: ["a"]) == nil)
        #expect(Suggestion.nearest(to: "pont", among: ["branch", "point"]) == "point")
    }
}
