extension BackendMessage {
    /// Reads a message from its type and its body.
    package init(_ frame: Frame) throws(WireError) {
        guard let type = BackendType(rawValue: frame.type) else {
            throw .violation("invalid backend message type \(frame.type)")
        }
        var reader = WireReader(frame.body)
        self = try Self.decode(type, &reader)
        try reader.end()
    }

    private static func decode(
        _ type: BackendType,
        _ reader: inout WireReader
    ) throws(WireError) -> BackendMessage {
        switch type {
        case .authentication: .authentication(try Authentication(decoding: &reader))
        case .backendKeyData: .backendKeyData(try key(&reader))
        case .bindComplete: .bindComplete
        case .closeComplete: .closeComplete
        case .commandComplete: .commandComplete(try reader.string())
        case .copyBothResponse: .copyBothResponse(try copyFormat(&reader))
        case .copyData: .copyData(try reader.rest())
        case .copyDone: .copyDone
        case .copyInResponse: .copyInResponse(try copyFormat(&reader))
        case .copyOutResponse: .copyOutResponse(try copyFormat(&reader))
        case .dataRow: .dataRow(try reader.values())
        case .emptyQuery: .emptyQuery
        case .error: .error(try ServerReport(decoding: &reader))
        case .functionCallResponse: .functionCallResponse(try reader.value())
        case .negotiateVersion: try negotiation(&reader)
        case .noData: .noData
        case .notice: .notice(try ServerReport(decoding: &reader))
        case .notification: .notification(try notification(&reader))
        case .parameterDescription: .parameterDescription(try types(&reader))
        case .parameterStatus: .parameterStatus(try parameter(&reader))
        case .parseComplete: .parseComplete
        case .portalSuspended: .portalSuspended
        case .ready: .ready(try status(&reader))
        case .rowDescription: .rowDescription(try fields(&reader))
        }
    }

    private static func key(_ reader: inout WireReader) throws(WireError) -> CancelKey {
        let process = try reader.integer(as: UInt32.self)
        guard (4...WireLimits.cancelKey).contains(reader.remaining) else {
            throw .invalidFormat()
        }
        return CancelKey(processID: process, secret: try reader.rest())
    }

    private static func copyFormat(_ reader: inout WireReader) throws(WireError) -> CopyFormat {
        let overall = try reader.integer(as: UInt8.self)
        guard overall <= 1 else { throw .invalidFormat() }
        return CopyFormat(isBinary: overall == 1, columnFormats: try reader.formats())
    }

    private static func negotiation(
        _ reader: inout WireReader
    ) throws(WireError) -> BackendMessage {
        let version = ProtocolVersion(rawValue: try reader.integer())
        let count = try reader.integer(as: UInt32.self)
        guard count <= WireLimits.startupParameters else { throw .invalidFormat() }
        var options: [WireString] = []
        for _ in 0..<count { options.append(try reader.string()) }
        return .negotiateVersion(version, unrecognized: options)
    }

    private static func notification(
        _ reader: inout WireReader
    ) throws(WireError) -> Notification {
        Notification(
            processID: try reader.integer(),
            channel: try reader.string(),
            payload: try reader.string()
        )
    }

    private static func types(_ reader: inout WireReader) throws(WireError) -> [UInt32] {
        let count = try reader.count(ofAtLeast: 4)
        var types: [UInt32] = []
        types.reserveCapacity(count)
        for _ in 0..<count { types.append(try reader.integer()) }
        return types
    }

    private static func parameter(_ reader: inout WireReader) throws(WireError) -> WireParameter {
        WireParameter(try reader.string(), try reader.string())
    }

    private static func status(_ reader: inout WireReader) throws(WireError) -> TransactionStatus {
        guard let status = TransactionStatus(rawValue: try reader.integer()) else {
            throw .invalidFormat()
        }
        return status
    }

    private static func fields(_ reader: inout WireReader) throws(WireError) -> [RowField] {
        let count = try reader.count(ofAtLeast: 19)
        var fields: [RowField] = []
        fields.reserveCapacity(count)
        for _ in 0..<count {
            fields.append(
                RowField(
                    name: try reader.string(),
                    table: try reader.integer(),
                    column: try reader.integer(),
                    type: try reader.integer(),
                    typeSize: try reader.integer(),
                    typeModifier: try reader.integer(),
                    format: try reader.integer()
                )
            )
        }
        return fields
    }
}

extension Authentication {
    init(decoding reader: inout WireReader) throws(WireError) {
        let code = try reader.integer(as: UInt32.self)
        switch code {
        case 0: self = .ok
        case 3: self = .cleartextPassword
        case 5: self = .md5Password(salt: try reader.take(4))
        case 10: self = .sasl(mechanisms: try Self.mechanisms(&reader))
        case 11: self = .saslContinue(try reader.rest())
        case 12: self = .saslFinal(try reader.rest())
        default: self = .other(code: code, data: try reader.rest())
        }
    }

    private static func mechanisms(
        _ reader: inout WireReader
    ) throws(WireError) -> [WireString] {
        var names: [WireString] = []
        while true {
            let name = try reader.string()
            if name.isEmpty { return names }
            guard names.count < 16 else { throw .invalidFormat() }
            names.append(name)
        }
    }
}
