import PostgresWire
import Primitives

extension FrontConnection {
    /// How often one look reads of TLS, so that one client does not hold up the others.
    private static let rounds = 16

    /// Nothing more is read of a side while the other has not taken what was read before.
    var canReadClient: Bool {
        phase == .relaying && !clientHasEnded && toCompute.isEmpty && !tracker.isSaturated
            && !tracker.isTerminated && lastWord == nil
    }
    var canReadCompute: Bool { phase == .relaying && toClient.isEmpty && compute >= 0 }

    func relay(fromClient: Bool, fromCompute: Bool) {
        if fromCompute, canReadCompute { receiveFromCompute() }
        if fromClient || mayHoldMore { receiveFromClient() }
        if isDraining { endIfIdle() }
    }

    private func receiveFromClient() {
        guard transport.hasTLS else {
            if canReadClient { receiveOnce() }
            return
        }
        mayHoldMore = true
        for _ in 0..<Self.rounds {
            // Where this stops for want of room, it is called again when there is room.
            guard canReadClient else { return }
            guard receiveOnce() else {
                mayHoldMore = false
                return
            }
        }
        loop.run { [self] in
            relay(fromClient: true, fromCompute: false)
            updateInterest()
        }
    }

    /// Returns whether something was there.
    @discardableResult
    private func receiveOnce() -> Bool {
        switch unsafe transport.receive(loop.scratch) {
        case .bytes(let count):
            unsafe passToCompute(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count]))
            return true
        case .wouldBlock: return false
        case .ended:
            clientHasEnded = true
            if toCompute.isEmpty { Sockets.finishSending(compute) }
            // Who only sends no more still has a while for the answer.
            if endpoint?.endsWithClient == true {
                limit(seconds: core.configuration.limits.goodbyeSeconds)
            }
            return false
        }
    }

    func passToCompute(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        lastActivity = loop.now
        let allowed: Int
        do throws(WireError) { allowed = try tracker.frontend(unsafe bytes.bytes) } catch {
            return goodbye(ServerReport(closingWith: error))
        }
        var sent = 0
        while toCompute.isEmpty, sent < allowed, !computeTakesNothing {
            switch unsafe Sockets.send(compute, .init(rebasing: bytes[sent..<allowed])) {
            case .bytes(let count): sent += count
            case .wouldBlock:
                unsafe toCompute.append(.init(rebasing: bytes[sent..<allowed]))
                return
            // It ends; what it said before is still read.
            case .ended: computeTakesNothing = true
            }
        }
    }

    func flushToCompute() {
        while !toCompute.isEmpty {
            var isBlocked = false
            unsafe toCompute.take { bytes in
                switch unsafe Sockets.send(compute, bytes) {
                case .bytes(let count): return count
                case .wouldBlock: isBlocked = true
                case .ended: computeTakesNothing = true
                }
                return computeTakesNothing ? bytes.count : 0
            }
            if isBlocked { return }
        }
        if clientHasEnded, compute >= 0 { Sockets.finishSending(compute) }
    }

    private func receiveFromCompute() {
        var room = unsafe loop.scratch.count
        if lastWord != nil { room = min(room, tracker.backendBytesOfMessage) }
        switch unsafe Sockets.receive(compute, .init(rebasing: loop.scratch[..<room])) {
        case .bytes(let count):
            unsafe passToClient(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count]))
            if let lastWord, tracker.isAtBackendBoundary { goodbye(lastWord) }
        case .wouldBlock: return
        case .ended: goodbye()
        }
    }

    func passToClient(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        lastActivity = loop.now
        do throws(WireError) { try tracker.backend(unsafe bytes.bytes) } catch {
            // The compute broke the protocol, so what it says is not passed on.
            return goodbye()
        }
        unsafe sendToClient(bytes)
    }

    /// Ends a session in which nothing is under way.
    func endIfIdle() {
        switch phase {
        case .relaying where tracker.isIdle && tracker.transaction == .idle: break
        case .console where console.isIdle: break
        default: return
        }
        goodbye(Self.farewell)
    }

    static let farewell = ServerReport(
        .fatal,
        state: SQLState.adminShutdown.rawValue,
        "terminating connection due to administrator command"
    )
}
