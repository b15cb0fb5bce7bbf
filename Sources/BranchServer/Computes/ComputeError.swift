/// Why a compute does not run.
public struct ComputeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the caller can do.
    public enum Kind: String, Sendable {
        /// Install something, or run as somebody else.
        case unavailable
        /// Mend what is in the branch: PostgreSQL cannot be run on it as it is.
        case invalid
        /// Come again: all that may run are in use, or the server is about to end.
        case busy
        /// Ask again, by the name that the branch has now: it was stopped for good meanwhile.
        case gone
        /// Read the log: it was started and did not stay.
        case failed
    }

    /// What the caller can do.
    public let kind: Kind
    /// What is wrong, and what would mend it where that is known.
    public let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
