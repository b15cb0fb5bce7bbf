import Oxbow

/// What a volume says when something cannot be done.
public struct VolumeError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, each as a caller of a file system knows it.
    public enum Kind: String, Sendable, CaseIterable {
        /// There is no such file.
        case notFound
        /// There is one already.
        case exists
        /// Something on the way, or the thing itself, is no folder.
        case notAFolder
        /// The thing is a folder.
        case isAFolder
        /// The folder has entries.
        case notEmpty
        /// An argument makes no sense.
        case invalid
        /// A name has more than 255 bytes, or a link's target more than 4,095.
        case nameTooLong
        /// A file has as many names as it can have.
        case tooManyLinks
        /// A file would be larger than files can be.
        case fileTooLarge
        /// Symbolic links lead in a circle, or over more than forty.
        case tooManyHops
        /// The moment that is looked at is over, and cannot be changed.
        case readOnly
        /// The branch was reset or deleted, and does not show this file any more.
        case stale
        /// The disk is full.
        case full
        /// Not something that this kind of file can do.
        case notSupported
        /// Bytes on the disk are not those that were written.
        case damaged
        /// The store failed; it must be opened anew.
        case failed
    }

    /// What is wrong.
    public let kind: Kind
    /// What was tried, on what, and what is wrong, in a sentence.
    public let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// What the engine's error means to who uses a volume.
    init(_ error: OxbowError) {
        let kind: Kind =
            switch error.kind {
            case .full: .full
            case .damaged: .damaged
            case .conflict, .notFound: .stale
            case .busy, .invalid, .reopen, .defect: .failed
            }
        self.init(kind, error.description)
    }

    /// The message.
    public var description: String { message }
}

/// Runs what the engine can fail at.
func engine<Result>(
    _ body: () throws(OxbowError) -> Result
) throws(VolumeError) -> Result {
    do throws(OxbowError) { return try body() } catch { throw VolumeError(error) }
}
