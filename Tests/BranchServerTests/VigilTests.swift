import BranchServer
import Testing

/// When a loop stays awake for the next event.
@Suite struct VigilTests {
    private final class Session {}
    private let last = Vigil.Last()
    private let session = Session()

    private func awake(processors: Int = 2) -> Vigil {
        var vigil = Vigil(last, processors: processors)
        for _ in 0..<20 { vigil.noted(session) }
        return vigil
    }

    @Test func `it stays awake for the only session at work`() {
        var vigil = Vigil(last, processors: 2)
        #expect(!vigil.isWorthwhile)
        for _ in 0..<20 { vigil.noted(session) }
        #expect(vigil.isWorthwhile)
        for _ in 0..<100 {
            vigil.ended(paid: true)
            vigil.noted(session)
            #expect(vigil.isWorthwhile)
        }
        #expect(!awake(processors: 1).isWorthwhile)
    }

    @Test func `it sleeps where another session is at work, also on another loop`() {
        var vigil = awake()
        var other = Vigil(last, processors: 2)
        let stranger = Session()
        for _ in 0..<100 {
            other.noted(stranger)
            vigil.noted(session)
            #expect(!vigil.isWorthwhile && !other.isWorthwhile)
        }
        for _ in 0..<20 { vigil.noted(session) }
        #expect(vigil.isWorthwhile)
    }

    @Test func `what does not pay is tried more and more seldom`() {
        var vigil = awake()
        var tries: [Int] = []
        for event in 0..<20_000 {
            if vigil.isWorthwhile {
                tries.append(event)
                vigil.ended(paid: false)
            }
            vigil.noted(session)
        }
        // Some nine each time, and then a pause of at most 1024 events.
        #expect(tries.filter { $0 >= 10_000 }.count < 100)
        #expect((tries.last ?? 0) > 18_000)
        // One vigil in seven that fails, as with a commit in each transaction, is no reason.
        vigil = awake()
        for round in 0..<1000 {
            #expect(vigil.isWorthwhile)
            vigil.ended(paid: round % 7 != 0)
            vigil.noted(session)
        }
    }
}
