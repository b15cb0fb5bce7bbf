import CEventPoll
import CLinux
import DiskIO
import Glibc
import Primitives

/// What a descriptor is ready for. A hint: what is tried may still have to wait.
struct Readiness: OptionSet {
    let rawValue: UInt32

    static let reading = Readiness(rawValue: EPOLLIN.rawValue)
    static let writing = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer is gone. It comes whether it was asked for or not.
    static let ended = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
}

protocol EventHandler: AnyObject {
    /// Called on the loop's thread.
    func ready(_ descriptor: Int32, for readiness: Readiness)
}

/// A thread that waits for many descriptors, and calls who handles them.
///
/// What belongs to a loop is touched only on its thread; everything else comes in by ``run(_:)``.
/// Descriptors are watched level-triggered: what one look leaves, the next shows again.
// Safe to share: `inbox`, `isWoken` and `isOver` are under the lock, the descriptors never change,
// and the rest is touched on the loop's thread alone.
@safe
package final class EventLoop: @unchecked Sendable {
    typealias Work = @Sendable () -> Void

    /// How long a look may wait while something has a time limit.
    private static let tickMilliseconds: Int32 = 100
    private static let eventCount = 256
    /// What one read takes at most, and so what may be left over of one write.
    static let scratchByteCount = 64 << 10

    private let poll: Int32
    private let waker: Int32
    private let lock = Lock()
    private var inbox: [Work] = []
    private var isWoken = false
    private var isOver = false
    private var isStopping = false
    private var thread: WorkerThread?
    private let clock: any Clock

    private var handlers: [(any EventHandler)?] = []
    private var interests: [Readiness] = []
    private var tickers: [ObjectIdentifier: (_ now: UInt64) -> Void] = [:]
    private var lastTick: UInt64 = 0
    private var vigil: Vigil
    /// Where everything that passes through this loop is read into.
    let scratch: UnsafeMutableRawBufferPointer
    /// The monotonic time when the loop last woke.
    private(set) var now: UInt64

    init(clock: any Clock, sharing last: Vigil.Last) throws(SystemError) {
        self.clock = clock
        vigil = Vigil(last)
        now = clock.monotonic()
        unsafe scratch = .allocate(byteCount: Self.scratchByteCount, alignment: 64)
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        waker = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard poll >= 0, waker >= 0 else { throw SystemError("make an event loop") }
        control(EPOLL_CTL_ADD, waker, .reading)
    }

    deinit {
        Sockets.close(poll)
        Sockets.close(waker)
        unsafe scratch.deallocate()
    }

    func start() {
        thread = WorkerThread { [self] in
            // TLS writes without a flag that would keep the signal away.
            var set = sigset_t()
            unsafe sigemptyset(&set)
            unsafe sigaddset(&set, SIGPIPE)
            unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
            turn()
            let last = lock.withLock {
                isOver = true
                defer { inbox = [] }
                return inbox
            }
            for item in last { item() }
        }
    }

    /// Ends the loop once what was handed in before has run. Call once, from another thread.
    func stop() {
        run { [self] in isStopping = true }
        thread?.join()
        thread = nil
    }

    /// Runs something on the loop's thread, soon; returns false where that has ended. From any
    /// thread.
    @discardableResult
    func run(_ work: @escaping Work) -> Bool {
        let (isTaken, mustWake) = lock.withLock {
            guard !isOver else { return (false, false) }
            inbox.append(work)
            defer { isWoken = true }
            return (true, !isWoken)
        }
        if mustWake { eventfd_write(waker, 1) }
        return isTaken
    }

    /// Asks what a descriptor is to be watched for; nothing ends the watching.
    func watch(_ descriptor: Int32, for interest: Readiness, by handler: any EventHandler) {
        let place = Int(descriptor)
        while handlers.count <= place {
            handlers.append(nil)
            interests.append([])
        }
        let before = interests[place]
        guard before != interest else { return }
        interests[place] = interest
        handlers[place] = interest.isEmpty ? nil : handler
        if before.isEmpty {
            control(EPOLL_CTL_ADD, descriptor, interest)
        } else {
            control(interest.isEmpty ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, descriptor, interest)
        }
    }

    /// Ends the watching of a descriptor that is about to be closed.
    func forget(_ descriptor: Int32) {
        let place = Int(descriptor)
        guard place < interests.count, !interests[place].isEmpty else { return }
        interests[place] = []
        handlers[place] = nil
        control(EPOLL_CTL_DEL, descriptor, [])
    }

    /// Calls something with the time now and again, until it is taken away.
    func tick(_ owner: AnyObject, _ body: ((_ now: UInt64) -> Void)?) {
        tickers[ObjectIdentifier(owner)] = body
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ interest: Readiness) {
        var event = unsafe epoll_event()
        unsafe event.events = interest.rawValue
        unsafe event.data.fd = descriptor
        let result = unsafe epoll_ctl(poll, operation, descriptor, &event)
        invariant(result == 0, "epoll_ctl \(operation) of \(descriptor): \(errno)")
    }

    private func turn() {
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventCount) {
            events in
            while !isStopping {
                var count: Int32 = 0
                if vigil.isWorthwhile {
                    let end = now + Patience.nanoseconds
                    repeat {
                        count = unsafe look(events, 0)
                    } while count == 0 && clock.monotonic() < end
                    vigil.ended(paid: count != 0)
                }
                if count == 0 {
                    count = unsafe look(events, tickers.isEmpty ? -1 : Self.tickMilliseconds)
                }
                invariant(count >= 0 || errno == EINTR, "epoll_wait: \(errno)")
                now = clock.monotonic()
                for index in 0..<max(0, Int(count)) {
                    let event = unsafe events[index]
                    unsafe dispatch(event.data.fd, Readiness(rawValue: event.events))
                }
                tickIfDue()
            }
        }
    }

    /// Waits for events, and returns how many there are.
    private func look(
        _ events: UnsafeMutableBufferPointer<epoll_event>,
        _ milliseconds: Int32
    ) -> Int32 {
        unsafe epoll_wait(poll, events.baseAddress, Int32(Self.eventCount), milliseconds)
    }

    private func dispatch(_ descriptor: Int32, _ readiness: Readiness) {
        if descriptor == waker { return runInbox() }
        // One that was forgotten earlier in the same look has no handler any more.
        guard let handler = handlers[Int(descriptor)] else { return }
        vigil.noted(handler)
        handler.ready(descriptor, for: readiness)
    }

    private func runInbox() {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(waker, &count)
        let work = lock.withLock {
            defer { inbox = [] }
            isWoken = false
            return inbox
        }
        for item in work { item() }
    }

    private func tickIfDue() {
        guard !tickers.isEmpty, now >= lastTick + UInt64(Self.tickMilliseconds) * 1_000_000 else {
            return
        }
        lastTick = now
        for body in tickers.values { body(now) }
    }
}
