/// A value that is used under a lock of its own.
///
/// As the standard library's `Mutex`, but ThreadSanitizer understands it.
// Safe to share: the value is touched under the lock alone.
package final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value

    package init(_ value: Value) { self.value = value }

    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
