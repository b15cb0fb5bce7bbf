/// How long a message may be, by its type. A length counts its own four bytes and not the type.
package enum LengthRule: Sendable, Equatable {
    /// Packets before a session, which have no type.
    case startup
    /// Any message of a client that is not authenticated.
    case authentication
    /// What PostgreSQL takes of a client, type by type.
    case frontend
    /// What a client takes of PostgreSQL, type by type.
    case backend
    /// What is taken of a compute before its session begins.
    case computeLogin

    package var isTyped: Bool { self != .startup }

    package var smallest: Int { self == .startup ? 8 : 4 }

    /// The largest length of a message of this type; nil where there is no such type.
    package func largest(_ type: UInt8) -> Int? {
        switch self {
        case .startup: WireLimits.startupPacket
        case .authentication: WireLimits.authenticationMessage
        case .computeLogin: WireLimits.computeMessage
        case .frontend: FrontendType(rawValue: type).map(Self.largest)
        case .backend: BackendType(rawValue: type).map(Self.largest)
        }
    }

    private static func largest(_ type: FrontendType) -> Int {
        switch type {
        case .query, .functionCall, .bind, .parse, .copyData: WireLimits.largeMessage
        case .close, .describe, .execute, .flush, .sync, .terminate, .copyDone, .copyFail,
            .password:
            WireLimits.smallMessage
        }
    }

    private static func largest(_ type: BackendType) -> Int {
        switch type {
        case .rowDescription, .dataRow, .copyData, .functionCallResponse, .error, .notice,
            .notification, .parameterDescription:
            WireLimits.largeMessage
        case .authentication, .backendKeyData, .bindComplete, .closeComplete, .commandComplete,
            .copyInResponse, .copyOutResponse, .copyBothResponse, .copyDone, .emptyQuery,
            .negotiateVersion, .noData, .parameterStatus, .parseComplete, .portalSuspended,
            .ready:
            WireLimits.smallBackendMessage
        }
    }
}

/// The first byte of a frontend's message.
package enum FrontendType: UInt8, Sendable, CaseIterable {
    case bind = 0x42  // B
    case close = 0x43  // C
    case describe = 0x44  // D
    case execute = 0x45  // E
    case functionCall = 0x46  // F
    case flush = 0x48  // H
    case parse = 0x50  // P
    case query = 0x51  // Q
    case sync = 0x53  // S
    case terminate = 0x58  // X
    case copyDone = 0x63  // c
    case copyData = 0x64  // d
    case copyFail = 0x66  // f
    case password = 0x70  // p
}

/// The first byte of a backend's message.
package enum BackendType: UInt8, Sendable, CaseIterable {
    case parseComplete = 0x31  // 1
    case bindComplete = 0x32  // 2
    case closeComplete = 0x33  // 3
    case notification = 0x41  // A
    case commandComplete = 0x43  // C
    case dataRow = 0x44  // D
    case error = 0x45  // E
    case copyInResponse = 0x47  // G
    case copyOutResponse = 0x48  // H
    case emptyQuery = 0x49  // I
    case backendKeyData = 0x4B  // K
    case notice = 0x4E  // N
    case authentication = 0x52  // R
    case parameterStatus = 0x53  // S
    case rowDescription = 0x54  // T
    case functionCallResponse = 0x56  // V
    case copyBothResponse = 0x57  // W
    case ready = 0x5A  // Z
    case copyDone = 0x63  // c
    case copyData = 0x64  // d
    case noData = 0x6E  // n
    case portalSuspended = 0x73  // s
    case parameterDescription = 0x74  // t
    case negotiateVersion = 0x76  // v
}
