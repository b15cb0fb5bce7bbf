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
}
