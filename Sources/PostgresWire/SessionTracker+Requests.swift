extension SessionTracker {
    /// A message of the client's has begun that is no row.
    mutating func request(_ header: FrameHeader) throws(WireError) {
        guard let type = FrontendType(rawValue: header.type) else { throw .invalidFormat() }
        switch type {
        case .password: throw .violation("invalid frontend message type \(header.type)")
        case .functionCall where !policy.allowsFunctionCalls:
            throw WireError(.featureNotSupported, "function calls by number are not allowed here")
        // A server takes such a Flush for a request that failed, and others may, too.
        case .flush, .sync, .terminate:
            guard header.bodyCount == 0 else { throw .invalidFormat() }
        default: break
        }
        if type == .terminate {
            isTerminated = true
            return
        }
        guard !isLost else { return }
        switch copying {
        case .into: requestWhileCopyingIn(type)
        case .both: requestWhileCopyingBoth(type)
        case .none, .intoEnding, .out: enqueue(type)
        }
    }

    private mutating func enqueue(_ type: FrontendType) {
        guard let request = Request(type) else { return }
        if isSkipping {
            guard request == .sync else {
                // Passed over, unless it comes after a Sync that was none within rows.
                if !queue.isEmpty, request != .copyEnd { lose() }
                return
            }
            isSkipping = false
        }
        // A server that does not copy passes over the end of copying.
        if request == .copyEnd, queue.isEmpty { return }
        queue.append(request)
        if request.isExtended {
            isUnsynced = true
        } else if request != .copyEnd {
            isUnsynced = false
        }
    }

    private mutating func requestWhileCopyingIn(_ type: FrontendType) {
        switch type {
        case .copyData, .flush: break
        // It counts after all where the server fails before it reads it.
        case .sync: queue.append(.uncertainSync)
        case .copyDone, .copyFail: copying = .intoEnding
        default:
            // The server ends the session for this, unless it has failed before: then it counts.
            copying = .intoEnding
            enqueue(type)
        }
    }

    private mutating func requestWhileCopyingBoth(_ type: FrontendType) {
        switch type {
        case .copyData, .flush, .sync: break
        case .copyDone, .copyFail: copying = .intoEnding
        // The server ends the session for this.
        default: lose()
        }
    }

    /// Gives up saying what is outstanding.
    mutating func lose() {
        isLost = true
        queue.removeAll()
        copying = .none
        isSkipping = false
        isUnsynced = false
        credit = 0
    }
}

extension Request {
    /// What of a client's messages is answered, or ends something.
    init?(_ type: FrontendType) {
        switch type {
        case .parse: self = .parse
        case .bind: self = .bind
        case .describe: self = .describe
        case .close: self = .close
        case .execute: self = .execute
        case .sync: self = .sync
        case .query: self = .query
        case .functionCall: self = .functionCall
        case .copyDone, .copyFail: self = .copyEnd
        case .copyData, .flush, .terminate, .password: return nil
        }
    }
}
