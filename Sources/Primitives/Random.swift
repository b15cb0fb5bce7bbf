/// A small seeded generator (SplitMix64): the same seed gives the same numbers on every machine.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in `0 ..< bound`. The bias of the plain remainder is below 2^-32 for what is drawn
    /// here, and the numbers drawn do not depend on the standard library's version.
    package mutating func below(_ bound: Int) -> Int {
        invariant(bound > 0, "a draw below \(bound)")
        return Int(next() % UInt64(bound))
    }

    /// True once in `times` draws.
    package mutating func oneIn(_ times: Int) -> Bool { below(times) == 0 }
}
