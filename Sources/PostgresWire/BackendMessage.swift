/// Where a session stands between transactions, as ReadyForQuery says it.
package enum TransactionStatus: UInt8, Sendable, CaseIterable {
    case idle = 0x49  // I
    case open = 0x54  // T
    case failed = 0x45  // E
}

/// What a server asks of a client that logs in.
package enum Authentication: Hashable, Sendable {
    case ok
    case cleartextPassword
    case md5Password(salt: [UInt8])
    case sasl(mechanisms: [WireString])
    case saslContinue([UInt8])
    case saslFinal([UInt8])
    /// Another method, by its code, which nobody here speaks.
    case other(code: UInt32, data: [UInt8])
}

package struct RowField: Hashable, Sendable {
    package var name: WireString
    package var table: UInt32
    package var column: Int16
    package var type: UInt32
    package var typeSize: Int16
    package var typeModifier: Int32
    package var format: Int16

    package init(
        name: WireString,
        table: UInt32 = 0,
        column: Int16 = 0,
        type: UInt32,
        typeSize: Int16 = -1,
        typeModifier: Int32 = -1,
        format: Int16 = 0
    ) {
        self.name = name
        self.table = table
        self.column = column
        self.type = type
        self.typeSize = typeSize
        self.typeModifier = typeModifier
        self.format = format
    }
}

/// How the rows of a COPY are written.
package struct CopyFormat: Hashable, Sendable {
    package var isBinary: Bool
    package var columnFormats: [Int16]

    package init(isBinary: Bool, columnFormats: [Int16]) {
        self.isBinary = isBinary
        self.columnFormats = columnFormats
    }
}

package struct Notification: Hashable, Sendable {
    package var processID: UInt32
    package var channel: WireString
    package var payload: WireString

    package init(processID: UInt32, channel: WireString, payload: WireString) {
        self.processID = processID
        self.channel = channel
        self.payload = payload
    }
}

/// What a server says.
package enum BackendMessage: Hashable, Sendable {
    case authentication(Authentication)
    case backendKeyData(CancelKey)
    case bindComplete
    case closeComplete
    case commandComplete(WireString)
    case copyBothResponse(CopyFormat)
    case copyData([UInt8])
    case copyDone
    case copyInResponse(CopyFormat)
    case copyOutResponse(CopyFormat)
    case dataRow([[UInt8]?])
    case emptyQuery
    case error(ServerReport)
    case functionCallResponse([UInt8]?)
    case negotiateVersion(ProtocolVersion, unrecognized: [WireString])
    case noData
    case notice(ServerReport)
    case notification(Notification)
    case parameterDescription([UInt32])
    case parameterStatus(WireParameter)
    case parseComplete
    case portalSuspended
    case ready(TransactionStatus)
    case rowDescription([RowField])

    package var type: BackendType {
        switch self {
        case .authentication: .authentication
        case .backendKeyData: .backendKeyData
        case .bindComplete: .bindComplete
        case .closeComplete: .closeComplete
        case .commandComplete: .commandComplete
        case .copyBothResponse: .copyBothResponse
        case .copyData: .copyData
        case .copyDone: .copyDone
        case .copyInResponse: .copyInResponse
        case .copyOutResponse: .copyOutResponse
        case .dataRow: .dataRow
        case .emptyQuery: .emptyQuery
        case .error: .error
        case .functionCallResponse: .functionCallResponse
        case .negotiateVersion: .negotiateVersion
        case .noData: .noData
        case .notice: .notice
        case .notification: .notification
        case .parameterDescription: .parameterDescription
        case .parameterStatus: .parameterStatus
        case .parseComplete: .parseComplete
        case .portalSuspended: .portalSuspended
        case .ready: .ready
        case .rowDescription: .rowDescription
        }
    }
}
