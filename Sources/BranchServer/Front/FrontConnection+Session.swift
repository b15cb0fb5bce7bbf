import PostgresWire

extension FrontConnection {
    /// What is said of this session; nil before there is one.
    var session: Front.Session? {
        guard let request, phase == .relaying || phase == .console else { return nil }
        let application = request.parameters.first { $0.name == "application_name" }
        return Front.Session(
            branch: endpoint?.branch ?? "",
            database: request.target.database.text,
            user: request.user.text,
            application: application?.value.text ?? "",
            client: peerText,
            state: state,
            quietNanoseconds: loop.now - min(loop.now, lastActivity)
        )
    }

    private var state: Front.Session.State {
        let isIdle = phase == .console ? console.isIdle : tracker.isIdle
        guard isIdle else { return .active }
        switch phase == .console ? console.status : tracker.transaction {
        case .idle: return .idle
        case .open: return .idleInTransaction
        case .failed: return .idleInFailedTransaction
        }
    }

    var peerText: String {
        switch peer.count {
        case 0: return "socket"
        case 4: return peer.map { String($0) }.joined(separator: ".")
        default:
            return stride(from: 0, to: peer.count - 1, by: 2).map {
                String(UInt16(peer[$0]) << 8 | UInt16(peer[$0 + 1]), radix: 16)
            }.joined(separator: ":")
        }
    }
}
