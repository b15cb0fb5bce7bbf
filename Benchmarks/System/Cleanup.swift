import Foundation
import Glibc
import Primitives

/// What has to be undone, whatever happens: processes, mounts, folders. Undone in the reverse
/// order, at the end or when somebody presses Ctrl-C.
// Safe to share: what changes is guarded by the lock.
package final class Cleanup: @unchecked Sendable {
    private let lock = NSRecursiveLock()
    private var actions: [(number: Int, undo: () -> Void)] = []
    private var next = 0
    private var isOver = false

    package init() {}

    /// Something to undo; what is returned undoes it earlier.
    @discardableResult
    package func add(_ undo: @escaping () -> Void) -> () -> Void {
        let number = lock.withLock {
            // What is begun while all ends is undone at once.
            if isOver { undo() }
            next += 1
            actions.append((next, undo))
            return next
        }
        return { [self] in
            lock.withLock {
                guard let place = actions.firstIndex(where: { $0.number == number }) else { return }
                actions.remove(at: place).undo()
            }
        }
    }

    /// Undoes all.
    package func end() {
        lock.withLock {
            isOver = true
            while let last = actions.popLast() { last.undo() }
        }
    }

    /// Ends the program by a signal only after all is undone. Call before there are other threads.
    package func watchSignals() {
        let signals = EndSignals.hold()
        let thread = Thread { [self] in
            while !signals.wait(atMostMilliseconds: 60_000) {}
            FileHandle.standardError.write(Data("interrupted: cleaning up\n".utf8))
            end()
            exit(130)
        }
        thread.start()
    }
}
