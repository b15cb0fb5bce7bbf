import PostgresWire
import Primitives

extension FrontConnection {
    /// Reads no more than a client has reason to send before it is in.
    private static let loginByteCount = 4 << 10

    func receiveLogin() {
        // TLS reads the socket itself: so where TLS comes first, its bytes are left there.
        if beginsWithTLS() {
            handshake.receive([0x16])
            return pumpLogin()
        }
        let buffer = unsafe UnsafeMutableRawBufferPointer(
            rebasing: loop.scratch[..<Self.loginByteCount]
        )
        while phase == .login {
            switch unsafe transport.receive(buffer) {
            case .bytes(let count):
                handshake.receive(unsafe Array(buffer[..<count]))
                pumpLogin()
                if !transport.hasTLS { return }
            case .wouldBlock: return
            case .ended: return close()
            }
        }
        mayHoldMore = transport.hasTLS
    }

    private func beginsWithTLS() -> Bool {
        guard handshake.mayBeginWithTLS else { return false }
        let buffer = unsafe UnsafeMutableRawBufferPointer(rebasing: loop.scratch[..<1])
        let outcome = unsafe Sockets.receive(transport.descriptor, buffer, peeking: true)
        return unsafe outcome == .bytes(1) && buffer[0] == 0x16
    }

    /// Does what the handshake says until it waits for something.
    func pumpLogin() {
        while phase == .login, let action = handshake.next() { perform(action) }
    }

    private func perform(_ action: ServerHandshake.Action) {
        switch action {
        case .send(let bytes): send(bytes)
        case .startTLS: startTLS()
        case .lookUpVerifier(let request): lookUp(targeted(request))
        case .authenticated(let request): authenticated(targeted(request))
        case .beginSession(let received): beginSession(received)
        case .cancel(let key): cancel(key)
        case .close(let error):
            if let error, error.state == .invalidPassword { note(error) }
            goodbye()
        }
    }

    /// Who guesses is to be seen. Of a flood it leaves out what cannot be written in time.
    private func note(_ error: WireError) {
        let (log, line) = (core.configuration.log, "\(peerText): \(error.message)")
        _ = core.verifying.run { log(RoleText.shown(Array(line.utf8))) }
    }

    /// The branch of a socket that is for one stands in for the default branch. The console has
    /// none.
    private func targeted(_ request: ConnectionRequest) -> ConnectionRequest {
        var request = request
        if request.target.branch == nil, !request.isForConsole {
            request.target.branch = socket.branch
        }
        return request
    }

    // MARK: TLS

    private func startTLS() {
        guard let context = core.configuration.tls, toClient.isEmpty,
            (try? transport.startTLS(context)) != nil
        else { return close() }
        phase = .startingTLS
        shakeHands()
    }

    func shakeHands() {
        switch transport.shakeHands() {
        case .waiting: return
        case .failed: close()
        case .done:
            handshake.tlsIsUp(
                endPointHash: transport.endPointHash,
                applicationProtocol: transport.applicationProtocol
            )
            phase = .login
            pumpLogin()
            if phase == .login { receiveLogin() }
        }
    }

    // MARK: Waiting

    private func lookUp(_ request: ConnectionRequest) {
        phase = .waiting
        let directory = core.configuration.directory
        let isQueued = core.verifying.run { [self] in
            let found = Result { () throws(Refusal) in try directory.verifier(for: request) }
            loop.run { [self] in gotVerifier(found) }
        }
        if !isQueued { tooBusy() }
    }

    private func gotVerifier(_ found: Result<SCRAMVerifier?, Refusal>) {
        guard phase == .waiting else { return }
        phase = .login
        switch found {
        case .success(let verifier):
            handshake.verifier(
                verifier,
                randomBytes: Entropy.bytes(18, core.configuration.entropy)
            )
        case .failure(let refusal): fail(refusal.report(.fatal))
        }
        goOn()
    }

    /// After something was waited for: what came in meanwhile may be here already.
    private func goOn() {
        pumpLogin()
        if phase == .login, mayHoldMore { receiveLogin() }
        updateInterest()
    }

    private func fail(_ report: ServerReport) {
        handshake.fail(
            report,
            WireError(.cannotConnectNow, report[.message]?.text ?? "refused")
        )
    }

    private func tooBusy() {
        phase = .login
        handshake.fail(WireError(.tooManyConnections, "too many clients are waiting already"))
    }

    private func authenticated(_ request: ConnectionRequest) {
        self.request = request
        leaveAdmission()
        limit(seconds: nil)
        if request.isForConsole { return beginConsole() }
        phase = .waiting
        let login = core.computeLogin
        let randomBytes = Entropy.bytes(18, core.configuration.entropy)
        let isQueued = core.opening.run { [self] in
            let result = Result { () throws(ComputeLogin.Failure) in
                try login.open(request, randomBytes: randomBytes)
            }
            loop.run { [self] in opened(result) }
        }
        if !isQueued { tooBusy() }
    }

    private func opened(_ result: Result<ComputeLogin.Opened, ComputeLogin.Failure>) {
        guard phase == .waiting else {
            // The client left meanwhile.
            if case .success(let opened) = result {
                Sockets.close(opened.descriptor)
                core.release(opened.endpoint)
            }
            return
        }
        phase = .login
        switch result {
        case .failure(let failure): fail(failure.report)
        case .success(let opened):
            compute = opened.descriptor
            endpoint = opened.endpoint
            self.opened = opened
            let key = core.cancels.enter(
                CancelTable.Target(
                    socketPath: opened.endpoint.socketPath,
                    key: opened.session.key
                ),
                for: request?.version ?? .v3
            )
            cancelKey = key
            for notice in opened.endpoint.notices + opened.session.notices { tell(notice) }
            handshake.computeIsReady(
                opened.session.parameters,
                key: key,
                transaction: opened.session.transaction
            )
        }
        goOn()
    }

    private func tell(_ notice: ServerReport) {
        var writer = WireWriter()
        if (try? BackendMessage.notice(notice).encode(into: &writer)) != nil { send(writer.bytes) }
    }

    private func beginSession(_ received: [UInt8]) {
        guard phase == .login else { return }
        lastActivity = loop.now
        guard let opened else {
            phase = .console
            return takeConsole(received)
        }
        phase = .relaying
        tracker = SessionTracker(opened.session.transaction)
        unsafe received.withUnsafeBytes { unsafe passToCompute($0) }
        unsafe opened.session.received.withUnsafeBytes { unsafe passToClient($0) }
        self.opened = nil
        if isDraining { endIfIdle() }
        mayHoldMore = transport.hasTLS
        relay(fromClient: false, fromCompute: false)
    }

    private func beginConsole() {
        let key = CancelKey(processID: 1, secret: Entropy.bytes(4, core.configuration.entropy))
        handshake.computeIsReady(AdminSession.parameters, key: key)
    }

    // MARK: Cancelling

    /// The connection stays open until the compute has taken the request, as PostgreSQL's does. Who
    /// guesses a key sees no difference.
    private func cancel(_ key: CancelKey) {
        phase = .waiting
        let target = core.cancels.target(key)
        let limit = core.configuration.limits.computeLoginSeconds * 1000
        let isQueued = core.verifying.run { [self] in
            if let target { ComputeLogin.cancel(target, timeoutMilliseconds: limit) }
            loop.run { [self] in close() }
        }
        if !isQueued { close() }
    }
}

extension ConnectionRequest {
    /// The database by whose name the front's console is reached, where no branch is named.
    static let consoleDatabase: WireString = "oxbow"

    var isForConsole: Bool {
        target.database == Self.consoleDatabase && target.branch == nil && target.moment == nil
            && !target.isFork
    }
}
