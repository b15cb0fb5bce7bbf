import Primitives

/// Threads for what may wait: looking verifiers up, waking computes, logging in there.
///
/// They are started as they are needed, up to a number, and what comes beyond that waits in a queue
/// that has a bound.
// Safe to share: everything that changes is under the lock.
final class WorkerPool: @unchecked Sendable {
    private let lock = Lock()
    private let threadLimit: Int
    private let queueLimit: Int
    private var queue: [@Sendable () -> Void] = []
    private var head = 0
    private var threads: [WorkerThread] = []
    private var idleCount = 0
    private var isStopped = false

    init(threads threadLimit: Int, queue queueLimit: Int) {
        self.threadLimit = threadLimit
        self.queueLimit = queueLimit
    }

    /// Hands something in; false where too much waits already.
    func run(
        evenIfFull mustRun: Bool = false,
        _ work: @escaping @Sendable () -> Void
    ) -> Bool {
        lock.withLock {
            guard !isStopped, mustRun || queue.count - head < queueLimit else { return false }
            queue.append(work)
            if idleCount < queue.count - head, threads.count < threadLimit {
                threads.append(WorkerThread { [self] in serve() })
            } else {
                lock.wakeAll()
            }
            return true
        }
    }

    /// Waits for what was handed in, and ends the threads.
    func stop() {
        let all = lock.withLock {
            isStopped = true
            lock.wakeAll()
            defer { threads = [] }
            return threads
        }
        for thread in all { thread.join() }
    }

    private func serve() {
        while let work = next() { work() }
    }

    private func next() -> (@Sendable () -> Void)? {
        lock.withLock {
            idleCount += 1
            defer { idleCount -= 1 }
            while head == queue.count {
                if isStopped { return nil }
                lock.wait()
            }
            defer { compact() }
            head += 1
            return queue[head - 1]
        }
    }

    /// Lets go of what was taken.
    private func compact() {
        if head == queue.count {
            queue.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64, head * 2 > queue.count {
            queue.removeFirst(head)
            head = 0
        }
    }
}
