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
        case .copyInResponse: try beginCopyingIn()
        case .copyOutResponse: copying = .out
        case .copyBothResponse: copying = .both
        case .dataRow, .parameterDescription: break
        default:
            if type == .commandComplete { endCopying() }
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

    private mutating func beginCopyingIn() throws(WireError) {
        copying = .into
        swallowedSyncs = 0
        // What the client sent before it could know of the copying.
        while copying == .into, queue.count > 1 {
            switch queue[1] {
            case .sync, .uncertainSync: swallowedSyncs += 1
            case .copyEnd: copying = .intoEnding
            case .query: throw Self.unexpectedDuringCopy(FrontendType.query.rawValue)
            case .parse: throw Self.unexpectedDuringCopy(FrontendType.parse.rawValue)
            case .bind: throw Self.unexpectedDuringCopy(FrontendType.bind.rawValue)
            case .describe: throw Self.unexpectedDuringCopy(FrontendType.describe.rawValue)
            case .close: throw Self.unexpectedDuringCopy(FrontendType.close.rawValue)
            case .execute: throw Self.unexpectedDuringCopy(FrontendType.execute.rawValue)
            case .functionCall:
                throw Self.unexpectedDuringCopy(FrontendType.functionCall.rawValue)
            }
            queue.remove(at: 1)
        }
        // A Sync that is passed over ends nothing.
        if queue.count == 1, queue.first == .execute { isUnsynced = true }
    }

    private mutating func endCopying() {
        copying = .none
        swallowedSyncs = 0
    }

    private mutating func failed() {
        let uncertain = swallowedSyncs
        endCopying()
        settle(before: .error)
        guard let request = queue.first else { return }
        if request.isExtended {
            queue.removeFirst()
            skip(uncertain)
        } else if request == .query, uncertain > 0 {
            queue.removeFirst()
            for _ in 0..<uncertain { queue.prepend(.uncertainSync) }
            queue.prepend(.query)
        }
        dropLooseEnds()
    }

    /// Passes over requests up to the next Sync, as the server does after an error.
    private mutating func skip(_ uncertain: Int) {
        while let request = queue.first, request != .sync, request != .uncertainSync {
            queue.removeFirst()
        }
        isSkipping = queue.isEmpty
        for _ in 0..<uncertain { queue.prepend(.uncertainSync) }
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
        endCopying()
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
