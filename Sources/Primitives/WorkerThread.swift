import Glibc

/// A thread of the system's that runs one body.
package struct WorkerThread: Sendable {
    private let thread: pthread_t

    /// Starts the thread, which ``join()`` must be called for.
    package init(_ body: @escaping @Sendable () -> Void) { thread = Self.start(body) }

    /// Waits until the body has returned. Call once.
    package func join() { pthread_join(thread, nil) }

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
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            box
        )
        invariant(result == 0, "pthread_create: \(result)")
        return thread
    }
}
