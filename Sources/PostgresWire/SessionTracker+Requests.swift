extension SessionTracker {
    /// A message of the client's has begun that is no row.
    mutating func request(_ header: FrameHeader) throws(WireError) {
        guard let type = FrontendType(rawValue: header.type) else { throw .invalidFormat() }
        switch type {
        case .password: throw .violation("invalid frontend message type \(header.type)")
        case .functionCall where !policy.allowsFunctionCalls:
            throw WireError(.featureNotSupported, "function calls by number are not allowed here")
        case .terminate:
            guard header.bodyCount == 0 else { throw .invalidFormat() }
            isTerminated = true
            return
        default: break
        }
        switch copying {
        case .into: try requestWhileCopyingIn(type)
        case .both: try requestWhileCopyingBoth(type)
        case .none, .intoEnding, .out: enqueue(type)
        }
    }

    private mutating func enqueue(_ type: FrontendType) {
        guard let request = Request(type) else { return }
        if isSkipping {
            guard request == .sync else { return }
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

    private mutating func requestWhileCopyingIn(_ type: FrontendType) throws(WireError) {
        switch type {
        case .copyData, .flush: break
        // It may come to count after all, where the server fails before it reads it.
        case .sync:
            guard swallowedSyncs < WireLimits.outstandingRequests else {
                throw .violation("too many Sync messages during COPY from stdin")
            }
            swallowedSyncs += 1
        case .copyDone, .copyFail: copying = .intoEnding
        default: throw Self.unexpectedDuringCopy(type.rawValue)
        }
    }

    private mutating func requestWhileCopyingBoth(_ type: FrontendType) throws(WireError) {
        switch type {
        case .copyData, .flush, .sync: break
        case .copyDone, .copyFail: copying = .intoEnding
        default: throw .violation("invalid standby message type \"\(type.rawValue)\"")
        }
    }

    static func unexpectedDuringCopy(_ type: UInt8) -> WireError {
        let digits = String(type, radix: 16, uppercase: true)
        return .violation("unexpected message type 0x\(digits) during COPY from stdin")
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
