import Primitives

/// Held by who walks over all that is live: one pass of reclaim, check or measuring at a time.
///
/// A pass calls back to tell how far it is. What waits for the lock there would wait for itself, so
/// a thread can ask whether it has it.
// Safe to share: the holder is touched under the lock alone.
final class PassLock: @unchecked Sendable {
    private let lock = Lock()
    private var holder: ThreadID?

    var isMine: Bool { lock.withLock { holder == .current } }

    func take() {
        lock.withLock {
            while holder != nil { lock.wait() }
            holder = .current
        }
    }

    func takeIfFree() -> Bool {
        lock.withLock {
            guard holder == nil else { return false }
            holder = .current
            return true
        }
    }

    func giveBack() {
        lock.withLock {
            holder = nil
            lock.wakeAll()
        }
    }
}
