import Primitives

/// Follows a session through the bytes that both sides send, without touching them: whether it is
/// idle, in a transaction, or copying, and that neither side breaks the protocol.
///
/// It reads headers, and of the bodies one byte of each ReadyForQuery. What it accepts is passed on
/// as it came, at once, in pieces of any size. The order in which it learns of bytes must be one in
/// which they could have been sent: a client's bytes before they are passed on to the server, and a
/// server's before they are passed on to the client.
package struct SessionTracker: Sendable {
    /// What flows between the two beside questions and answers.
    package enum Copying: Hashable, Sendable {
        case none
        /// The client sends rows.
        case into
        /// It has sent them all, and the server has not said what became of them.
        case intoEnding
        case out
        /// Both send: a walsender's way.
        case both
    }

    /// What a session may do.
    package struct Policy: Hashable, Sendable {
        /// Calls of functions by number, which no look at SQL would see.
        package var allowsFunctionCalls: Bool

        package init(allowsFunctionCalls: Bool = true) {
            self.allowsFunctionCalls = allowsFunctionCalls
        }
    }

    package private(set) var transaction: TransactionStatus
    package internal(set) var copying = Copying.none
    /// Whether the client has said good-bye.
    package internal(set) var isTerminated = false
    /// How often the server has been ready: another number means that something happened.
    package private(set) var readyCount = 0

    let policy: Policy
    var queue = RequestQueue()
    /// Whether the server passes over everything up to a Sync that has not come yet.
    var isSkipping = false
    /// Whether something was asked of the server since the last Sync or query.
    var isUnsynced = false
    /// Whether more than one course of events fits what was seen, so that nothing can be said of
    /// what is outstanding from here on: the session is never idle again, but goes on.
    package internal(set) var isLost = false
    /// ReadyForQuery messages that were taken for an uncertain Sync.
    var credit = 0

    private var frontend = FrameScanner(.frontend)
    private var backend = FrameScanner(.backend)
    private var awaitsStatus = false

    /// Begins after the first ReadyForQuery, with what that said.
    package init(_ transaction: TransactionStatus = .idle, policy: Policy = Policy()) {
        self.transaction = transaction
        self.policy = policy
    }

    /// Whether nothing is under way: every request is answered, and no message is half sent.
    package var isIdle: Bool {
        queue.isEmpty && !isUnsynced && !isSkipping && !isLost && copying == .none
            && credit == 0 && isAtFrontendBoundary && isAtBackendBoundary
    }

    /// Whether a message of ours could be put in here.
    package var isAtFrontendBoundary: Bool { frontend.isAtBoundary }
    package var isAtBackendBoundary: Bool { backend.isAtBoundary && !awaitsStatus }

    /// So many bytes of the server's can be taken without one of another message; 0 at a boundary.
    package var backendBytesOfMessage: Int { backend.bytesOfMessage }

    /// Whether no more of the client's bytes should be read before the server has answered: so the
    /// memory for what is outstanding has a bound.
    package var isSaturated: Bool { queue.count >= WireLimits.outstandingRequests }

    /// Follows bytes that the client sent. Returns how many of them may be passed on: all of them,
    /// unless the client has terminated. Where it throws, the connection must be closed.
    package mutating func frontend(_ bytes: RawSpan) throws(WireError) -> Int {
        guard !isTerminated else { return 0 }
        var offset = 0
        while let event = try frontend.next(bytes, at: &offset) {
            guard case .header(let header) = event else { continue }
            // A stream of rows changes nothing.
            if header.type == FrontendType.copyData.rawValue { continue }
            try request(header)
            // Of what follows a good-bye nothing is passed on.
            if isTerminated { break }
        }
        return offset
    }

    /// Follows bytes that the server sent, all of which may be passed on. Where it throws, the
    /// server is not to be trusted any more, and both connections must be closed.
    package mutating func backend(_ bytes: RawSpan) throws(WireError) {
        var offset = 0
        while let event = try backend.next(bytes, at: &offset) {
            switch event {
            case .header(let header):
                // Rows come by the million.
                if header.type == BackendType.dataRow.rawValue, yieldsRows { continue }
                try response(header)
            case .body(let range):
                guard awaitsStatus else { continue }
                // Safe: the range is within the bytes.
                let status = unsafe bytes.unsafeLoad(
                    fromUncheckedByteOffset: range.lowerBound,
                    as: UInt8.self
                )
                try ready(status)
            }
        }
    }

    private var yieldsRows: Bool { queue.first == .execute || queue.first == .query }

    private mutating func response(_ header: FrameHeader) throws(WireError) {
        guard let type = BackendType(rawValue: header.type) else { throw .invalidFormat() }
        if type == .ready {
            guard header.bodyCount == 1 else { throw .invalidLength() }
            awaitsStatus = true
        } else if !isLost {
            try answer(type)
        }
    }

    private mutating func ready(_ status: UInt8) throws(WireError) {
        guard let status = TransactionStatus(rawValue: status) else { throw .invalidFormat() }
        awaitsStatus = false
        if !isLost { try answerReady() }
        transaction = status
        readyCount &+= 1
    }
}
