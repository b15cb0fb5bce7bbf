import DiskIO
import PostgresWire
import Primitives

/// What the connections of a front share.
// Safe to share: what changes is under the lock, or is made for sharing.
final class FrontCore: @unchecked Sendable {
    let configuration: Front.Configuration
    let loops: [EventLoop]
    let admission: Admission
    let cancels: CancelTable
    let verifying: WorkerPool
    let opening: WorkerPool
    let computeLogin: ComputeLogin
    private let lock = Lock()
    private var connections: [ObjectIdentifier: FrontConnection] = [:]
    private var nextLoop = 0
    private var isDraining = false

    init(_ configuration: Front.Configuration) throws(SystemError) {
        self.configuration = configuration
        let limits = configuration.limits
        var loops: [EventLoop] = []
        let last = Vigil.Last()
        for _ in 0..<max(1, limits.loops) {
            loops.append(try EventLoop(clock: configuration.clock, sharing: last))
        }
        self.loops = loops
        admission = Admission(
            limit: limits.unauthenticated,
            perAddress: limits.unauthenticatedPerAddress
        )
        cancels = CancelTable(entropy: configuration.entropy)
        verifying = WorkerPool(threads: limits.verifyingThreads, queue: limits.connections)
        opening = WorkerPool(threads: limits.openingThreads, queue: limits.connections)
        computeLogin = ComputeLogin(
            directory: configuration.directory,
            timeoutMilliseconds: limits.computeLoginSeconds * 1000
        )
    }

    /// Takes a connection up, on the loop whose turn it is.
    func take(_ accepted: FrontSocket.Accepted) {
        let loop: EventLoop? = lock.withLock {
            guard !isDraining, connections.count < configuration.limits.connections else {
                return nil
            }
            nextLoop = (nextLoop + 1) % loops.count
            return loops[nextLoop]
        }
        guard let loop else { return Sockets.close(accepted.descriptor) }
        let connection = FrontConnection(self, loop, accepted)
        lock.withLock { connections[ObjectIdentifier(connection)] = connection }
        loop.run { connection.begin() }
    }

    func closed(_ connection: FrontConnection) {
        lock.withLock {
            connections[ObjectIdentifier(connection)] = nil
            lock.wakeAll()
        }
    }

    var connectionCount: Int { lock.withLock { connections.count } }

    /// Who is in a session, or in the console.
    func sessions() -> [Front.Session] {
        let found = Collected<Front.Session>()
        forEach { connection in
            if let session = connection.session { found.append(session) }
        }
        return found.all
    }

    /// The directory may wait in it.
    func release(_ endpoint: Endpoint) {
        let release = endpoint.release
        // At the very end there are no threads for that any more.
        if !opening.run(evenIfFull: true, release) { release() }
    }

    /// Does something with each connection, on its loop, and waits until it is done.
    func forEach(_ body: @escaping @Sendable (FrontConnection) -> Void) {
        let all = lock.withLock { Array(connections.values) }
        for loop in loops {
            let gate = Gate()
            let runs = loop.run {
                for connection in all where connection.loop === loop { body(connection) }
                gate.open()
            }
            if runs { gate.wait() }
        }
    }

    /// Returns how many sessions still wait for the end of a message.
    func endSessions(ofKey key: String) -> Int {
        let count = Guarded(0)
        forEach { connection in
            guard connection.endpoint?.key == key else { return }
            connection.goodbye(FrontConnection.farewell)
            if connection.awaitsMessage { count.withLock { $0 += 1 } }
        }
        return count.withLock { $0 }
    }

    /// Takes no more connections, and waits until those that there are have ended.
    func drain(atMostMilliseconds limit: Int) {
        lock.withLock { isDraining = true }
        forEach { connection in
            connection.isDraining = true
            if connection.ticket != nil { connection.close() } else { connection.endIfIdle() }
        }
        let end = configuration.clock.monotonic() + UInt64(limit) * 1_000_000
        lock.withLock {
            while !connections.isEmpty {
                let now = configuration.clock.monotonic()
                if now >= end { break }
                lock.wait(atMostMilliseconds: min(100, Int((end - now) / 1_000_000) + 1))
            }
        }
    }

    /// What the console says. Who is connected, the front itself knows.
    func answer(
        _ statement: AdminStatement,
        for user: WireString
    ) throws(Refusal) -> AdminResult {
        try configuration.directory.authorize(statement, for: user)
        guard statement == .show(.sessions) else {
            return try configuration.directory.answer(statement, for: user)
        }
        return AdminResult(
            rows: sessions().map {
                [
                    $0.branch, $0.database, $0.user, $0.state.rawValue, $0.application, $0.client,
                    "\($0.quietNanoseconds / 1_000_000_000) s",
                ]
            }
        )
    }
}

/// A list that several threads append to.
// Safe to share: the items are under the lock.
private final class Collected<Item: Sendable>: @unchecked Sendable {
    private let lock = Lock()
    private var items: [Item] = []

    func append(_ item: Item) { lock.withLock { items.append(item) } }
    var all: [Item] { lock.withLock { items } }
}
