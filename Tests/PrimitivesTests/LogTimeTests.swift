import Primitives
import TestSupport
import Testing

@Suite struct LogTimeTests {
    static let second: UInt64 = 1_000_000_000

    @Test func `time moves by durations in both directions`() {
        let noon = LogTime(nanoseconds: 12 * 3600 * Self.second)
        #expect(noon.advanced(by: .seconds(1)).rawValue == noon.rawValue + Self.second)
        #expect(noon.advanced(by: .seconds(-1)).rawValue == noon.rawValue - Self.second)
        #expect(noon.advanced(by: .nanoseconds(1)) > noon)
        #expect(noon.advanced(by: .zero) == noon)
    }

    @Test func `time stops at its ends`() {
        let last = LogTime(rawValue: .max)
        #expect(LogTime.zero.advanced(by: .nanoseconds(-1)) == .zero)
        #expect(LogTime(rawValue: 5).advanced(by: .seconds(-9)) == .zero)
        #expect(last.advanced(by: .nanoseconds(1)) == last)
        #expect(last.advanced(by: .seconds(Int64.max)) == last)
        #expect(last.advanced(by: .seconds(Int64.max) * 18) == last)
        #expect(LogTime.zero.advanced(by: .seconds(Int64.max) * -18) == .zero)
    }

    @Test func `the distance of two times leads from one to the other`() {
        var random = SeededRandom(test: 2)
        for _ in 0..<10_000 {
            let left = LogTime(rawValue: random.anyWidth())
            let right = LogTime(rawValue: random.anyWidth())
            let distance = right.since(left)
            #expect(left.since(right) == .zero - distance)
            #expect((distance > .zero) == (left < right))
            // Half of all times are further apart than a move can be.
            guard abs(distance.components.seconds) < 9_223_372_036 else { continue }
            #expect(left.advanced(by: distance) == right)
        }
        #expect(
            LogTime(rawValue: .max).since(.zero) == .nanoseconds(Int64.max) * 2 + .nanoseconds(1)
        )
    }

    @Test(
        arguments: [
            (.zero, 0), (.nanoseconds(1), 1), (.nanoseconds(-1), -1), (.seconds(2), 2_000_000_000),
            (.milliseconds(-1500), -1_500_000_000),
            // Towards zero.
            (Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999), 1),
            (Duration(secondsComponent: 0, attosecondsComponent: -1_999_999_999), -1),
        ] as [(Duration, Int64)]
    )
    func `a duration has whole nanoseconds`(duration: Duration, nanoseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
    }

    @Test(arguments: [0, 1, 1000, 1 << 62] as [Int64])
    func `a duration past 292 years is cut`(more: Int64) {
        let limit = Duration.nanoseconds(Int64.max)
        #expect((limit + .nanoseconds(more)).wholeNanoseconds == .max)
        #expect((.zero - limit - .nanoseconds(more)).wholeNanoseconds == -.max)
        #expect((limit * 4 + .seconds(more)).wholeNanoseconds == .max)
        #expect((.zero - limit * 4 - .seconds(more)).wholeNanoseconds == -.max)
    }

    @Test func `a duration just below the limit is whole`() {
        let limit = Duration.nanoseconds(Int64.max)
        #expect((limit - .nanoseconds(1)).wholeNanoseconds == .max - 1)
        #expect((.nanoseconds(1) - limit).wholeNanoseconds == -(.max - 1))
    }

    @Test func `a duration of more seconds than 64 bits count is cut too`() {
        #expect((Duration.seconds(Int64.max) * 18).wholeNanoseconds == .max)
        #expect((Duration.seconds(Int64.max) * -18).wholeNanoseconds == -.max)
    }
}
