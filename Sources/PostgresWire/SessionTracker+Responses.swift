import Primitives

extension SessionTracker {
    /// A message of the server's has begun, which is not ReadyForQuery.
    mutating func answer(_ type: BackendType) throws(WireError) {
        switch type {
        // At any time.
        case .notice, .notification, .parameterStatus: return
        case .error: return failed()
        case .copyData, .copyDone: return try copied(type)
        case .authentication, .backendKeyData, .negotiateVersion: throw Self.unexpected(type)
        default: break
        }
        settle(before: type)
        guard let request = queue.first, Self.answers(type, request) else {
            throw Self.unexpected(type)
        }
        switch type {
        case .copyInResponse: beginCopyingIn()
        case .copyOutResponse: copying = .out
        case .copyBothResponse: copying = .both
        case .dataRow, .parameterDescription: break
        default:
            if type == .commandComplete { endCopyingIn() }
            // The answer to a query ends with ReadyForQuery.
            if request.isExtended { queue.removeFirst() }
        }
        dropLooseEnds()
    }

    /// Whether a message can be the answer, or a part of it, to a request.
    private static func answers(_ type: BackendType, _ request: Request) -> Bool {
        switch type {
        case .parseComplete: request == .parse
        case .bindComplete: request == .bind
        case .closeComplete: request == .close
        case .parameterDescription, .noData: request == .describe
        case .rowDescription: request == .describe || request == .query
        case .dataRow, .commandComplete, .emptyQuery, .copyInResponse, .copyOutResponse:
            request == .execute || request == .query
        case .copyBothResponse: request == .query
        case .portalSuspended: request == .execute
        case .functionCallResponse: request == .functionCall
        case .authentication, .backendKeyData, .copyData, .copyDone, .error, .negotiateVersion,
            .notice, .notification, .parameterStatus, .ready:
            false
        }
    }

    private static func unexpected(_ type: BackendType) -> WireError {
        let letter = Character(Unicode.Scalar(type.rawValue))
        return WireError(
            .connectionFailure,
            "lost synchronization with server: got message type \"\(letter)\""
        )
    }

    private mutating func copied(_ type: BackendType) throws(WireError) {
        // Where both copy, the server goes on after the client has ended, too.
        guard copying == .out || copying == .both || copying == .intoEnding else {
            throw Self.unexpected(type)
        }
        if copying == .out, type == .copyDone { copying = .none }
    }

    private mutating func beginCopyingIn() {
        copying = .into
        // What the client sent before it could know of the copying.
        var place = 1
        while place < queue.count, copying == .into {
            switch queue[place] {
            case .sync, .uncertainSync:
                queue[place] = .uncertainSync
                place += 1
            case .copyEnd:
                queue.remove(at: place)
                copying = .intoEnding
            // The server ends the session for this, unless it fails before it reads it.
            default: copying = .intoEnding
            }
        }
    }

    /// The rows were taken, so the server passed over every Sync among them.
    private mutating func endCopyingIn() {
        guard copying != .none else { return }
        copying = .none
        while queue.count > 1, queue[1] == .uncertainSync { queue.remove(at: 1) }
        if queue.count == 1, queue.first == .execute { isUnsynced = true }
    }

    private mutating func failed() {
        copying = .none
        settle(before: .error)
        if queue.first?.isExtended == true {
            queue.removeFirst()
            skip()
        }
        dropLooseEnds()
    }

    /// Passes over requests up to the next Sync, as the server does after an error.
    private mutating func skip() {
        while let request = queue.first, request != .sync, request != .uncertainSync {
            queue.removeFirst()
        }
        var place = 0
        while place < queue.count, queue[place] == .uncertainSync { place += 1 }
        isSkipping = place == queue.count
        // What stands between the two kinds of Sync counts or not, and nothing shows which.
        if place > 0, place < queue.count, queue[place] != .sync { lose() }
    }

    /// The server is ready: the oldest query or Sync is answered.
    mutating func answerReady() throws(WireError) {
        guard copying == .none || copying == .intoEnding else { throw Self.unexpected(.ready) }
        switch queue.first {
        case .uncertainSync:
            credit += 1
            // It was no Sync within rows, then, but the one up to which the server skipped.
            if queue.count == 1 { isSkipping = false }
        case .sync, .query, .functionCall: break
        default: throw Self.unexpected(.ready)
        }
        copying = .none
        queue.removeFirst()
        dropLooseEnds()
        if queue.isEmpty { credit = 0 }
    }

    /// Takes away Syncs of which an answer shows that they are over: it belongs to a later request.
    private mutating func settle(before type: BackendType) {
        guard credit > 0 || queue.first == .uncertainSync else { return }
        var place = 0
        var left = credit
        while place < queue.count {
            let request = queue[place]
            guard request == .uncertainSync || (request == .sync && left > 0) else { break }
            if request == .sync { left -= 1 }
            place += 1
        }
        // An error while nothing else is asked is a Sync's own.
        guard place < queue.count else { return }
        for _ in 0..<place { queue.removeFirst() }
        credit = 0
    }

    /// The end of copying counts for nothing where nothing is copied.
    private mutating func dropLooseEnds() {
        while queue.first == .copyEnd { queue.removeFirst() }
    }
}
