import CLinux
import Synchronization

/// Closed until somebody opens it, once, for all who wait and all who come later.
///
/// One call of the system wakes all, and each goes on at once: with a condition variable they
/// would all wait for its lock again.
// Safe to share: the pointer never changes, and what it points at is made for sharing.
@safe
package final class Gate: @unchecked Sendable {
    private let word: UnsafeMutablePointer<UInt32>
    private let isOpen = Atomic(false)

    package init() {
        unsafe word = .allocate(capacity: 1)
        unsafe word.initialize(to: 0)
    }

    deinit { unsafe word.deallocate() }

    package func wait() {
        while !isOpen.load(ordering: .acquiring) { unsafe oxbow_sleep_while_zero(word) }
    }

    package func open() {
        isOpen.store(true, ordering: .releasing)
        unsafe oxbow_set_and_wake_all(word)
    }
}
