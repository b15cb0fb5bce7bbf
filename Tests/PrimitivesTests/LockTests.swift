import Foundation
import Primitives
import Testing

@Suite(.timeLimit(.minutes(1))) struct LockTests {
    // Safe to share: the number is touched under the lock alone, which is what is tested.
    private final class Guarded: @unchecked Sendable {
        let lock = Lock()
        var number = 0
    }

    private struct Refused: Error {}

    @Test func `threads count together without losing a step`() {
        let guarded = Guarded()
        let threads = (0..<4).map { _ in
            start {
                for _ in 0..<20_000 { guarded.lock.withLock { guarded.number += 1 } }
            }
        }
        for thread in threads { thread.wait() }
        #expect(guarded.lock.withLock { guarded.number } == 80_000)
    }

    @Test func `a waiter sleeps until it is woken`() {
        let guarded = Guarded()
        let waiter = start {
            guarded.lock.lock()
            while guarded.number == 0 { guarded.lock.wait() }
            guarded.number += 1
            guarded.lock.unlock()
        }
        guarded.lock.withLock { guarded.number = 1 }
        guarded.lock.wakeAll()
        waiter.wait()
        #expect(guarded.lock.withLock { guarded.number } == 2)
    }

    @Test func `one call wakes every waiter`() {
        let guarded = Guarded()
        let go = Guarded()
        let waiters = (0..<6).map { _ in
            start {
                guarded.lock.lock()
                guarded.number += 1
                while guarded.number < 100 { guarded.lock.wait() }
                guarded.number += 1
                guarded.lock.unlock()
                go.lock.withLock { go.number += 1 }
            }
        }
        // A waiter counts and waits under one hold of the lock: all six seen, all six sleep.
        while guarded.lock.withLock({ guarded.number }) < 6 { sched_yield() }
        #expect(go.lock.withLock { go.number } == 0)
        guarded.lock.withLock { guarded.number = 100 }
        guarded.lock.wakeAll()
        for waiter in waiters { waiter.wait() }
        #expect(guarded.number == 106)
        #expect(go.number == 6)
    }

    @Test(arguments: [0, 1, 30, 1_001])
    func `a wait with a limit ends at it`(milliseconds: Int) {
        let lock = Lock()
        let start = ContinuousClock.now
        lock.lock()
        // Nobody wakes it, but the system may: then it was early, and waits again.
        while ContinuousClock.now - start < .milliseconds(milliseconds) {
            lock.wait(atMostMilliseconds: milliseconds)
        }
        lock.unlock()
        #expect(ContinuousClock.now - start < .milliseconds(milliseconds) + .seconds(20))
    }

    @Test func `a wait with a limit is woken before it`() {
        let guarded = Guarded()
        let waiter = start {
            guarded.lock.lock()
            while guarded.number == 0 { guarded.lock.wait(atMostMilliseconds: 3_600_000) }
            guarded.lock.unlock()
        }
        guarded.lock.withLock { guarded.number = 1 }
        guarded.lock.wakeAll()
        waiter.wait()
    }

    @Test func `the lock is given back when the work throws`() {
        let lock = Lock()
        #expect(throws: Refused.self) {
            try lock.withLock { () throws(Refused) in throw Refused() }
        }
        #expect(lock.withLock { 7 } == 7)
    }

    /// Runs the work on a thread of its own; the answer is signalled when it is done.
    private func start(_ work: @escaping @Sendable () -> Void) -> DispatchSemaphore {
        let done = DispatchSemaphore(value: 0)
        Thread {
            work()
            done.signal()
        }.start()
        return done
    }
}
