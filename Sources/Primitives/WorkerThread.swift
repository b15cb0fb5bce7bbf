import Glibc

/// A thread of the system's that runs one body.
package struct WorkerThread: Sendable {
    private let thread: pthread_t

    /// Starts the thread, which ``join()`` must be called for.
    package init(_ body: @escaping @Sendable () -> Void) { thread = Self.start(body) }

    /// Waits until the body has returned. Call once.
    package func join() { pthread_join(thread, nil) }

    /// Ends a call of the system in which the thread waits, if it does now: that returns as
    /// interrupted. Not after ``join()``.
    package func interrupt() {
        _ = Self.handler
        pthread_kill(thread, SIGURG)
    }

    /// Whoever started this process may have blocked what it likes.
    private static func allowInterrupt() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGURG)
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// A signal without a handler interrupts nothing. This one otherwise means nothing to us.
    private static let handler: Void = {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in }
        unsafe sigaction(SIGURG, &action, nil)
    }()

    /// Starts a thread that nobody waits for.
    package static func detached(_ body: @escaping @Sendable () -> Void) {
        pthread_detach(start(body))
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        // Safe: the thread gets the body retained, and gives that back when it begins.
        let box = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let result = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                WorkerThread.allowInterrupt()
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            box
        )
        invariant(result == 0, "pthread_create: \(result)")
        return thread
    }
}
