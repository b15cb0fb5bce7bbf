import DiskIO
import Foundation
import Testing

@Suite struct DiskErrorTests {
    @Test(
        arguments: [
            (.notFound(operation: "open a"), "open a: no such file"),
            (.exists(operation: "create a"), "create a: the file exists"),
            (.full(operation: "write a"), "write a: no space left on the disk"),
            (.held(pid: 12), "held by process 12"),
            (.failed(operation: "sync a", code: 5, reason: "broken"), "sync a: broken (5)"),
        ] as [(DiskError, String)]
    )
    func `an error says verb, object and cause`(error: DiskError, text: String) {
        #expect(error.description == text)
    }
}

@Suite struct SystemClockTests {
    @Test func `the calendar clock is the system's`() {
        let before = Date().timeIntervalSince1970
        let now = Double(SystemClock().now()) / 1e9
        let after = Date().timeIntervalSince1970
        // A double holds these times to less than a microsecond.
        #expect(now > before - 0.001)
        #expect(now < after + 0.001)
    }

    @Test func `the monotonic clock never goes back`() {
        let clock = SystemClock()
        var last = clock.monotonic()
        for _ in 0..<10_000 {
            let next = clock.monotonic()
            #expect(next >= last)
            last = next
        }
    }
}
