/// Why a folder cannot show branches.
public struct MountError: Error, Sendable, CustomStringConvertible {
    /// What the caller can do.
    public enum Kind: String, Sendable {
        /// Enable FUSE: the system has none, or not for this user.
        case unavailable
        /// Choose another folder: this one does not exist, or is not to be used.
        case invalid
        /// Look at what the system says.
        case failed
    }

    /// What the caller can do.
    public let kind: Kind
    /// What is wrong, and the line that would mend it where there is one.
    public let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
