public import Glibc

/// A mutual exclusion lock with a condition, for the engine's own state.
///
/// The POSIX pair rather than the standard library's `Mutex`, since it can be waited on and
/// ThreadSanitizer understands it (15 ns to take and give back, uncontended, against 11).
// Safe to share: the two pointers never change, and what they point at is made for sharing.
@safe
@usableFromInline
package final class Lock: @unchecked Sendable {
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        var result = unsafe pthread_mutex_init(mutex, nil)
        invariant(result == 0, "pthread_mutex_init: \(result)")
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        result = unsafe pthread_cond_init(condition, &attributes)
        invariant(result == 0, "pthread_cond_init: \(result)")
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    @inlinable @inline(__always)
    package func lock() {
        let result = unsafe pthread_mutex_lock(mutex)
        invariant(result == 0, "pthread_mutex_lock: \(result)")
    }

    @inlinable @inline(__always)
    package func unlock() {
        let result = unsafe pthread_mutex_unlock(mutex)
        invariant(result == 0, "pthread_mutex_unlock: \(result)")
    }

    @inlinable @inline(__always)
    package func withLock<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Gives the lock back until somebody calls ``wakeAll()``. Call with the lock held, in a loop.
    package func wait() { unsafe pthread_cond_wait(condition, mutex) }

    /// As ``wait()``, for at most that long. Call with the lock held.
    package func wait(atMostMilliseconds limit: Int) {
        var until = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &until)
        let nanoseconds = until.tv_nsec + (limit % 1000) * 1_000_000
        until.tv_sec += limit / 1000 + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        unsafe pthread_cond_timedwait(condition, mutex, &until)
    }

    package func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}

/// Which thread runs.
package struct ThreadID: Equatable, Sendable {
    private let value: UInt

    package static var current: ThreadID { ThreadID(value: UInt(pthread_self())) }

    /// Lets another thread run that could.
    package static func giveWay() { sched_yield() }
}
