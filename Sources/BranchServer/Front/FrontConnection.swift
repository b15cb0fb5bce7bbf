import DiskIO
import PostgresWire
import Primitives

/// One client's connection, on one event loop from its first byte to its last.
///
///     login ⇄ startingTLS      bytes feed the handshake
///       └─> waiting            for a verifier, a compute, an answer to the console
///             ├─> relaying     bytes pass between client and compute
///             └─> console      the front answers itself
///     any ──> goodbye ──> lingering ──> closed
///
/// What passes is read into the loop's one buffer and written from there. Only what the other side
/// could not take at once is kept, and until that is gone nothing more is read for it.
// Safe to share: it is touched only on its loop's thread; others reach it through the loop.
final class FrontConnection: EventHandler, @unchecked Sendable {
    enum Phase {
        case login
        case startingTLS
        case waiting
        case relaying
        case console
        /// Something is still to be sent, and then it ends.
        case goodbye
        /// All is sent; what the client still sends is passed over until it ends, too.
        case lingering
        case closed
    }

    let core: FrontCore
    let loop: EventLoop
    let transport: Transport
    let socket: FrontSocket
    let peer: Sockets.Peer
    var phase = Phase.login
    var handshake: ServerHandshake
    var ticket: Admission.Ticket?
    /// When the phase ends by itself.
    var deadline: UInt64?

    /// What the client asked for, once it is authenticated.
    var request: ConnectionRequest?
    /// The session with a compute.
    var tracker = SessionTracker()
    var compute: Int32 = -1
    var endpoint: Endpoint?
    var opened: ComputeLogin.Opened?
    var cancelKey: CancelKey?
    var console = AdminSession()
    /// When the session last began to be as it is.
    var lastActivity: UInt64 = 0

    var toClient = PendingBytes()
    var toCompute = PendingBytes()
    /// Each side may stop sending, while the other goes on.
    var clientHasEnded = false
    var computeTakesNothing = false
    /// Whether TLS may hold bytes of which the socket shows nothing.
    var mayHoldMore = false
    /// Whether it is to end as soon as nothing is under way.
    var isDraining = false
    /// What is to be said when the message that the compute has begun is over, and nothing after.
    var lastWord: ServerReport?
    /// Whether that is still to come.
    var awaitsMessage: Bool { phase == .relaying && lastWord != nil }

    init(_ core: FrontCore, _ loop: EventLoop, _ accepted: FrontSocket.Accepted) {
        self.core = core
        self.loop = loop
        socket = accepted.socket
        peer = accepted.peer
        transport = Transport(accepted.descriptor)
        handshake = ServerHandshake(
            ServerHandshake.Configuration(
                offersTLS: !socket.isUnix && core.configuration.tls != nil,
                requiresTLS: socket.requiresTLS,
                mockSecret: core.configuration.mockSecret
            )
        )
    }

    func begin() {
        if !socket.isUnix { Sockets.tuneForSession(transport.descriptor) }
        limit(seconds: core.configuration.limits.loginSeconds)
        ticket = core.admission.enter(peer) { [self] in
            loop.run { [self] in if ticket != nil { close() } }
        }
        updateInterest()
    }

    /// Ends the phase after a while, unless that is called again with nil.
    func limit(seconds: Int?) {
        deadline = seconds.map { loop.now + UInt64($0) * 1_000_000_000 }
        guard deadline != nil else { return loop.tick(self, nil) }
        loop.tick(self) { [self] now in
            if let deadline, now >= deadline { close() }
        }
    }

    func ready(_ descriptor: Int32, for readiness: Readiness) {
        let canRead = !readiness.isDisjoint(with: [.reading, .ended])
        let isCompute = descriptor == compute
        if !readiness.isDisjoint(with: [.writing, .ended]) {
            if isCompute { flushToCompute() } else { flushToClient() }
        }
        switch phase {
        case .login: if canRead { receiveLogin() }
        case .startingTLS: shakeHands()
        case .relaying: relay(fromClient: canRead && !isCompute, fromCompute: canRead && isCompute)
        case .console: if canRead || mayHoldMore { receiveConsole() }
        case .lingering: if canRead { passOver() }
        case .waiting, .goodbye, .closed: break
        }
        updateInterest()
    }

    /// Asks the loop for what this phase waits for.
    func updateInterest() {
        guard phase != .closed else { return }
        var client: Readiness = toClient.isEmpty ? [] : .writing
        var backend: Readiness = []
        switch phase {
        case .login, .lingering: client.insert(.reading)
        case .startingTLS: client = transport.extraInterest
        case .console: if console.isIdle, toClient.isEmpty { client.insert(.reading) }
        case .relaying:
            if canReadClient { client.insert(.reading) }
            if canReadCompute { backend.insert(.reading) }
            if !toCompute.isEmpty { backend.insert(.writing) }
        case .waiting, .goodbye, .closed: break
        }
        if !client.isEmpty { client.formUnion(transport.extraInterest) }
        loop.watch(transport.descriptor, for: client, by: self)
        if compute >= 0 { loop.watch(compute, for: backend, by: self) }
    }

    // MARK: Sending

    /// Sends what it can and keeps the rest. What is sent this way is bounded by who makes it.
    func send(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe sendToClient($0) }
    }

    func sendToClient(_ bytes: UnsafeRawBufferPointer) {
        var sent = 0
        while toClient.isEmpty, sent < bytes.count {
            switch unsafe transport.send(UnsafeRawBufferPointer(rebasing: bytes[sent...])) {
            case .bytes(let count): sent += count
            case .wouldBlock:
                unsafe toClient.append(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                return
            case .ended: return clientIsGone()
            }
        }
        if sent < bytes.count {
            unsafe toClient.append(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
        }
    }

    func flushToClient() {
        var isGone = false
        while !toClient.isEmpty, !isGone {
            var isBlocked = false
            unsafe toClient.take { bytes in
                switch unsafe transport.send(bytes) {
                case .bytes(let count): return count
                case .wouldBlock: isBlocked = true
                case .ended: isGone = true
                }
                return 0
            }
            if isBlocked { return }
        }
        if isGone { return clientIsGone() }
        if phase == .goodbye { linger() }
    }

    /// The client takes nothing any more, so nothing is left to do for it.
    private func clientIsGone() {
        toClient.removeAll()
        close()
    }

    // MARK: Ending

    /// Sends what is still to be sent, and ends. With a report, that is the last word, where one
    /// can be put in: behind a message that the compute has begun, if the rest of it comes soon.
    func goodbye(_ report: ServerReport? = nil) {
        guard phase != .goodbye, phase != .lingering, phase != .closed else { return }
        if let report, phase == .relaying, !tracker.isAtBackendBoundary {
            guard lastWord == nil else { return }
            lastWord = report
            toCompute.removeAll()
            limit(seconds: core.configuration.limits.goodbyeSeconds)
            return updateInterest()
        }
        let canSpeak: Bool
        switch phase {
        case .relaying: canSpeak = tracker.isAtBackendBoundary
        case .console: canSpeak = true
        default: canSpeak = false
        }
        phase = .goodbye
        closeCompute()
        limit(seconds: core.configuration.limits.goodbyeSeconds)
        if let report, canSpeak {
            var writer = WireWriter()
            if (try? BackendMessage.error(report).encode(into: &writer)) != nil {
                send(writer.bytes)
            }
        }
        if phase == .goodbye, toClient.isEmpty { linger() }
        updateInterest()
    }

    /// Waits for the client's end, since closing while its bytes are unread would take from it what
    /// it was sent last.
    private func linger() {
        transport.finishSending()
        if clientHasEnded || tracker.isTerminated { return close() }
        phase = .lingering
    }

    private func passOver() {
        switch unsafe Sockets.receive(transport.descriptor, loop.scratch) {
        case .bytes, .wouldBlock: return
        case .ended: close()
        }
    }

    private func closeCompute() {
        if let cancelKey { core.cancels.remove(cancelKey) }
        cancelKey = nil
        if compute >= 0 {
            loop.forget(compute)
            Sockets.close(compute)
            compute = -1
        }
        toCompute.removeAll()
        if let endpoint { core.release(endpoint) }
        endpoint = nil
    }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        leaveAdmission()
        limit(seconds: nil)
        closeCompute()
        loop.forget(transport.descriptor)
        // What is cut off must not look whole.
        if toClient.isEmpty { transport.finishSending() }
        transport.close()
        core.closed(self)
    }

    func leaveAdmission() {
        if let ticket { core.admission.leave(ticket) }
        ticket = nil
    }
}
