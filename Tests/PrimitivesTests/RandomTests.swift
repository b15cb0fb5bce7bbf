import Primitives
import Testing

@Suite struct RandomTests {
    // The published outputs of SplitMix64. A saved seed is worth nothing if these change.
    @Test func `a seed gives the published numbers`() {
        var random = SeededRandom(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        let drawn = expected.map { _ in random.next() }
        #expect(drawn == expected)
        var zero = SeededRandom(seed: 0)
        let first = zero.next()
        #expect(first == 0xE220_A839_7B1D_CDAF)
    }

    @Test func `draws below a bound are the remainders`() {
        var numbers = SeededRandom(seed: 77)
        var draws = SeededRandom(seed: 77)
        for bound in [1, 2, 3, 10, 1000, Int.max] {
            for _ in 0..<100 {
                let drawn = draws.below(bound)
                let number = numbers.next()
                #expect(drawn == Int(number % UInt64(bound)))
            }
        }
    }

    @Test func `one in ten comes once in ten draws`() {
        var random = SeededRandom(seed: 5)
        let hits = (0..<100_000).count { _ in random.oneIn(10) }
        #expect((9_500...10_500).contains(hits))
        let certain = random.oneIn(1)
        #expect(certain)
    }

    @Test func `a copy goes its own way with the same numbers`() {
        var first = SeededRandom(seed: 9)
        var second = first
        let numbers = (first.next(), second.next())
        #expect(numbers.0 == numbers.1)
    }

    @Test func `a draw below nothing stops the program`() async {
        await #expect(processExitsWith: .failure) {
            var random = SeededRandom(seed: 1)
            _ = random.below(0)
        }
    }
}
