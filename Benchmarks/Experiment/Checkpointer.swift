import Foundation

/// Asks a server for a checkpoint every few seconds, so that a run of pgbench has several in it.
// Safe to share: what changes is guarded by the lock.
final class Checkpointer: @unchecked Sendable {
    private let lock = NSCondition()
    private var isOver = false
    private var hasEnded = false
    private var made = 0
    private var failure: (any Error)?

    init(_ login: Login, everySeconds pause: Double) {
        let thread = Thread { [self] in
            do {
                let session = try Session(login)
                defer { session.end() }
                while waits(pause) {
                    try session.query("CHECKPOINT")
                    lock.withLock { made += 1 }
                }
            } catch { lock.withLock { failure = error } }
            lock.withLock {
                hasEnded = true
                lock.broadcast()
            }
        }
        thread.start()
    }

    /// Waits for so long; false where it is over before.
    private func waits(_ seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        return lock.withLock {
            while !isOver, lock.wait(until: end) {}
            return !isOver
        }
    }

    /// Ends it; how many checkpoints were made.
    func end() throws -> Int {
        try lock.withLock {
            isOver = true
            lock.broadcast()
            while !hasEnded { lock.wait() }
            if let failure { throw failure }
            return made
        }
    }
}
