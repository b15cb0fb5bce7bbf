import Primitives
import TestSupport
import Testing

@Suite struct LSNTests {
    @Test(
        arguments: [
            (0, "L0"), (1, "L1"), (15, "LF"), (0x16B_3F28, "L16B3F28"), (.max, "LFFFFFFFFFFFFFFFF"),
        ] as [(UInt64, String)]
    )
    func `a position prints as L and hexadecimal digits`(value: UInt64, text: String) {
        #expect(LSN(rawValue: value).description == text)
        #expect(LSN(text)?.rawValue == value)
        #expect(LSN("L" + text.dropFirst().lowercased())?.rawValue == value)
    }

    @Test func `every position reads back as printed`() {
        var random = SeededRandom(test: 1)
        for _ in 0..<10_000 {
            let lsn = LSN(rawValue: random.anyWidth())
            #expect(LSN(lsn.description) == lsn)
        }
    }

    @Test(arguments: [
        "", "L", "l1", "1", "0/16B3F28", "L+1", "L-0", "L-1", "L 1", "L1 ", " L1", "LG", "L1_0",
        "LL1", "L0x1", "L10000000000000000", "L00000000000000001", "L\u{301}1", "L\u{FF11}",
        "L1\u{301}", "T1",
    ])
    func `nothing else is a position`(text: String) {
        #expect(LSN(text) == nil)
    }

    @Test func `nothing with a control character is a position`() {
        for character in ["\n", "\u{0}", "\t", "\r\n"] {
            #expect(LSN("L1" + character) == nil)
            #expect(LSN("L" + character + "1") == nil)
            #expect(LSN(character + "L1") == nil)
        }
    }

    @Test func `positions compare as their numbers do`() {
        #expect(LSN.zero < LSN(rawValue: 1))
        #expect(LSN(rawValue: 1) < .max)
        #expect(LSN(rawValue: 40) + 2 == LSN(rawValue: 42))
    }

    @Test func `ids print with letters of their own`() {
        #expect(TimelineID(LSN(rawValue: 0xAB)).description == "TAB")
        #expect(BranchID(LSN(rawValue: 0xCD)).description == "BCD")
        #expect(ObjectID(12).description == "12")
        #expect((7 as PageNumber).description == "7")
        #expect(ObjectID(1) < ObjectID(2))
        #expect(PageNumber(1) < 2)
        #expect(TimelineID(rawValue: 1) < TimelineID(rawValue: 2))
        #expect(BranchID(rawValue: 1) < BranchID(rawValue: 2))
    }
}
