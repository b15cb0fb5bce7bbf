import DiskIO
import Primitives
import Simulation
import Testing

@Suite struct SimulatedClockTests {
    let clock = SimulatedClock(seed: 1)

    @Test func `each look at the clock takes a small random while`() {
        let times = (0..<1000).map { _ in clock.now() }
        let steps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { $0 <= 1000 })
        #expect(Set(steps).count > 300)
        #expect(steps.contains { $0 > 0 })
    }

    @Test func `the same seed gives the same times`() {
        let other = SimulatedClock(seed: 1)
        for _ in 0..<100 {
            #expect(clock.now() == other.now())
            #expect(clock.monotonic() == other.monotonic())
        }
        #expect(SimulatedClock(seed: 2).monotonic() != SimulatedClock(seed: 3).monotonic())
    }

    @Test func `the calendar jumps and the monotonic clock only grows`() {
        var last = clock.monotonic()
        let start = clock.now()
        for jump in [Duration.seconds(3600), .seconds(-7200), .seconds(-3600 * 24 * 365 * 100)] {
            clock.jump(by: jump)
            let now = clock.monotonic()
            #expect(now >= last && now - last < 1_000_000)
            last = now
        }
        #expect(clock.now() < 1_000_000, "before 1970 there is nothing")
        clock.set(start)
        #expect(clock.now() - start < 1_000_000)
        #expect(clock.monotonic() - last < 1_000_000)
    }

    @Test func `a jump moves the calendar by just so much`() {
        let still = SimulatedClock(
            random: SeededRandom(seed: 1),
            start: 10,
            largestStepNanoseconds: 0
        )
        still.jump(by: .nanoseconds(5))
        #expect(still.now() == 15)
        still.jump(by: .nanoseconds(-7))
        #expect(still.now() == 8)
        still.set(.max)
        still.jump(by: .seconds(1))
        #expect(still.now() == .max)
    }

    @Test func `time that passes moves both clocks`() {
        let (calendar, monotonic) = (clock.now(), clock.monotonic())
        clock.advance(by: .seconds(10))
        #expect(clock.now() - calendar >= 10_000_000_000)
        #expect(clock.monotonic() - monotonic >= 10_000_000_000)
        #expect(clock.now() - calendar < 10_000_100_000)
    }

    @Test func `a reboot keeps the calendar and begins the monotonic clock anew`() {
        clock.advance(by: .seconds(100))
        let next = clock.rebooted()
        #expect(next.monotonic() < clock.monotonic())
        #expect(next.now() >= SimulatedClock.defaultStart + 100_000_000_000)
        let asProtocol: any DiskIO.Clock = next
        #expect(asProtocol.now() > 0)
    }
}
