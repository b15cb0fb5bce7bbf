import Oxbow
import Primitives

/// Which branches nobody may begin to use just now, since their files are about to become others.
// Safe to share: what changes is under the lock.
final class BranchGates: @unchecked Sendable {
    private let lock = Lock()
    /// How many are on their way into each.
    private var entering: [BranchID: Int] = [:]
    private var held: Set<BranchID> = []

    /// Waits until nobody holds the branch, and is on the way into it until ``leave(_:)``. Returns
    /// whether that came to be in time.
    func enter(_ branch: BranchID, atMostMilliseconds limit: Int) -> Bool {
        var patience = limit
        lock.lock()
        defer { lock.unlock() }
        while held.contains(branch) {
            guard patience > 0 else { return false }
            lock.wait(atMostMilliseconds: 50)
            patience -= 50
        }
        entering[branch, default: 0] += 1
        return true
    }

    func leave(_ branch: BranchID) {
        lock.withLock {
            let count = entering[branch, default: 0]
            invariant(count > 0, "\(branch) is left by somebody who was not on the way into it")
            entering[branch] = count > 1 ? count - 1 : nil
            lock.wakeAll()
        }
    }

    /// Waits until nobody else holds the branch and lets nobody in until ``release(_:)``. Who is on
    /// the way in is waited for, while `clear` is called again and again to shorten that.
    func hold(_ branch: BranchID, atMostMilliseconds limit: Int, clear: () -> Void) -> Bool {
        var patience = limit
        lock.lock()
        while held.contains(branch) {
            guard patience > 0 else {
                lock.unlock()
                return false
            }
            lock.wait(atMostMilliseconds: 50)
            patience -= 50
        }
        held.insert(branch)
        while true {
            lock.unlock()
            clear()
            lock.lock()
            if entering[branch] == nil { break }
            lock.wait(atMostMilliseconds: 20)
        }
        lock.unlock()
        // Who came in last was on the way while it was cleared.
        clear()
        return true
    }

    func release(_ branch: BranchID) {
        lock.withLock {
            held.remove(branch)
            lock.wakeAll()
        }
    }
}
