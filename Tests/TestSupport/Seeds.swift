import Foundation
package import Primitives

/// What every random test starts from. `SEED=n` in the environment replays another run.
package let testSeed =
    ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? 20_260_408

extension SeededRandom {
    /// The generator of one test. The number keeps tests from drawing each other's numbers.
    package init(test number: UInt64) {
        self.init(seed: testSeed &* 1_000_003 &+ number)
    }

    /// A number of any size: all widths from 0 to 64 bits are as likely as each other, so that
    /// small numbers and limits come up.
    package mutating func anyWidth() -> UInt64 {
        let width = UInt64(below(65))
        return width == 0 ? 0 : next() >> (64 - width)
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
