package import DiskIO
import Glibc
import PostgresWire
import Primitives

/// One port for every branch, and for each branch a folder with a Unix socket.
///
/// It authenticates clients, finds out from a ``BranchDirectory`` where they are to go, logs in
/// there for them, and from then on moves bytes. See the README beside this file for its laws.
package final class Front: Sendable {
    package struct Configuration: Sendable {
        package var directory: any BranchDirectory
        package var tls: TLSContext?
        package var limits = FrontLimits()
        /// What the salts of users are made of whom there are not; see ``ServerHandshake``.
        package var mockSecret: [UInt8]
        package var clock: any Clock
        package var entropy: @Sendable () -> UInt64
        /// Takes a line of who was not let in. It may wait.
        package var log: @Sendable (String) -> Void

        package init(
            directory: any BranchDirectory,
            tls: TLSContext? = nil,
            mockSecret: [UInt8],
            clock: any Clock = SystemClock(),
            entropy: @escaping @Sendable () -> UInt64 = { SystemEntropy.draw() },
            log: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.directory = directory
            self.tls = tls
            self.mockSecret = mockSecret
            self.clock = clock
            self.entropy = entropy
            self.log = log
        }
    }

    /// A session, as it stood when somebody asked.
    package struct Session: Hashable, Sendable {
        package enum State: String, Sendable {
            case active
            case idle
            case idleInTransaction = "idle in transaction"
            case idleInFailedTransaction = "idle in transaction (aborted)"
        }

        package let branch: String
        package let database: String
        package let user: String
        package let application: String
        package let client: String
        package let state: State
        /// For how long nothing has passed.
        package let quietNanoseconds: UInt64
    }

    private let core: FrontCore
    private let listener: FrontListener

    /// Starts the loops; nothing is listened on yet.
    package init(_ configuration: Configuration) throws(SystemError) {
        core = try FrontCore(configuration)
        listener = FrontListener(core)
        for loop in core.loops { loop.start() }
    }

    /// Listens on an address given in digits, and returns the port: where 0 is asked for, the
    /// system's choice. Beyond this machine only with TLS, which is then required.
    package func listen(host: String, port: UInt16) throws(SystemError) -> UInt16 {
        let isLocal = host == "::1" || host.hasPrefix("127.")
        guard isLocal || core.configuration.tls != nil else {
            throw SystemError("listen on \(host) without TLS", 1)
        }
        let socket = try FrontSocket(host: host, port: port, requiresTLS: !isLocal)
        listener.add(socket)
        return socket.port ?? port
    }

    /// Listens on a path, for connections of which the branch is the default one.
    package func listen(path: String, branch: String?) throws(SystemError) {
        listener.add(try FrontSocket(path: path, branch: branch))
    }

    /// Ends listening on a path. Sessions go on.
    package func close(path: String) { listener.remove { $0.path == path } }

    /// Who is in a session, or in the console.
    package func sessions() -> [Session] { core.sessions() }

    /// Ends the sessions of a branch, each told 57P01 where it can be told, and waits until none of
    /// them reaches the compute any more. Who is in the middle of an answer can be told when the
    /// compute has said the rest of a message, for which it has a moment.
    package func endSessions(ofKey key: String) {
        let clock = core.configuration.clock
        let end =
            clock.monotonic() + UInt64(core.configuration.limits.lastMessageMilliseconds)
            * 1_000_000
        while core.endSessions(ofKey: key) > 0, clock.monotonic() < end { usleep(1_000) }
    }

    /// Ends: takes no more connections, lets what is under way finish for a while, tells the others
    /// 57P01, and stops. Call once.
    package func stop(graceMilliseconds: Int) {
        listener.remove { _ in true }
        core.drain(atMostMilliseconds: graceMilliseconds)
        core.forEach { $0.goodbye(FrontConnection.farewell) }
        core.drain(atMostMilliseconds: core.configuration.limits.goodbyeSeconds * 1000)
        core.forEach { $0.close() }
        core.verifying.stop()
        core.opening.stop()
        for loop in core.loops { loop.stop() }
    }

    /// Connections of any kind, and of those who are not authenticated.
    package var counts: (connections: Int, unauthenticated: Int) {
        (core.connectionCount, core.admission.count)
    }
}
