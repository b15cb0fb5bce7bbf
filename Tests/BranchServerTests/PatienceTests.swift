import BranchServer
import Testing

@Suite struct PatienceTests {
    @Test func `what does not pay is tried more and more seldom`() {
        var patience = Patience()
        var tries: [Int] = []
        for event in 0..<20_000 {
            if patience.isWorthwhile {
                tries.append(event)
                patience.ended(paid: false)
            }
            patience.noted()
        }
        // Some nine each time, and then a pause of at most 1024 events.
        #expect(tries.filter { $0 >= 10_000 }.count < 100)
        #expect((tries.last ?? 0) > 18_000)
    }

    @Test func `one that fails among several is no reason to give up`() {
        var patience = Patience()
        for round in 0..<1000 {
            #expect(patience.isWorthwhile)
            patience.ended(paid: round % 7 != 0)
            patience.noted()
        }
    }

    @Test func `what pays again is tried at once, as at first`() {
        var patience = Patience()
        var tries = 0
        for event in 0..<10_000 {
            if patience.isWorthwhile {
                patience.ended(paid: event >= 5000)
                if event >= 5000 { tries += 1 }
            }
            patience.noted()
        }
        #expect(tries > 3000)
    }
}
