import Primitives
import Testing

@Suite struct InvariantTests {
    @Test func `a law that holds costs nothing and builds no message`() {
        var built = false
        func message() -> String {
            built = true
            return ""
        }
        invariant(1 + 1 == 2, message())
        #expect(!built)
    }

    @Test func `a broken law stops the program and says where and what`() async throws {
        let result = await #expect(
            processExitsWith: .failure,
            observing: [\.standardErrorContent]
        ) {
            invariant(1 > 2, "one is not above two")
        }
        let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(output.contains("invariant broken at PrimitivesTests/InvariantTests.swift:"))
        #expect(output.contains("one is not above two"))
    }
}
