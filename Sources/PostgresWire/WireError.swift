/// The conditions that this layer reports, by PostgreSQL's code for each.
package enum SQLState: String, Sendable, CaseIterable {
    case protocolViolation = "08P01"
    case connectionFailure = "08006"
    case featureNotSupported = "0A000"
    case characterNotInRepertoire = "22021"
    case invalidParameterValue = "22023"
    case invalidAuthorization = "28000"
    case invalidPassword = "28P01"
    case undefinedDatabase = "3D000"
    case syntaxError = "42601"
    case insufficientPrivilege = "42501"
    case undefinedObject = "42704"
    case tooManyConnections = "53300"
    case programLimitExceeded = "54000"
    case adminShutdown = "57P01"
    case cannotConnectNow = "57P03"
    case internalError = "XX000"
}

/// Why bytes were not accepted, or could not be made. It says what PostgreSQL says in its place, so
/// that a client sees no difference.
@usableFromInline
package struct WireError: Error, Hashable, Sendable {
    package let state: SQLState
    package let message: String
    package let detail: String?

    package init(_ state: SQLState, _ message: String, detail: String? = nil) {
        self.state = state
        self.message = message
        self.detail = detail
    }

    /// A breach of the protocol: most of what is thrown here.
    @usableFromInline
    package static func violation(_ message: String, detail: String? = nil) -> WireError {
        WireError(.protocolViolation, message, detail: detail)
    }

    @inline(never) @usableFromInline
    static func insufficientData() -> WireError { .violation("insufficient data left in message") }

    @inline(never) @usableFromInline
    static func invalidString() -> WireError { .violation("invalid string in message") }

    @inline(never) @usableFromInline
    static func invalidFormat() -> WireError { .violation("invalid message format") }

    @inline(never) @usableFromInline
    static func invalidLength() -> WireError { .violation("invalid message length") }
}

extension WireError: CustomStringConvertible {
    @usableFromInline package var description: String {
        "\(state.rawValue) \(message)" + (detail.map { ": \($0)" } ?? "")
    }
}
