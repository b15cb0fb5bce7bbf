import FuseMount
public import Oxbow
import Volume

/// Why a branch server did not do something.
public struct ServerError: Error, Sendable, CustomStringConvertible {
    /// What the caller can do.
    public enum Kind: String, Sendable {
        /// Install or enable something, or run as somebody else.
        case unavailable
        /// Say something else.
        case invalid
        /// Name something that is there.
        case notFound
        /// Choose another name, or end what is in the way.
        case conflict
        /// Come again.
        case busy
        /// Read the log: it was tried, and did not work.
        case failed
    }

    /// What the caller can do.
    public let kind: Kind
    /// What is wrong, and what would mend it where that is known.
    public let message: String
    /// What the engine said, where it was the engine.
    public let cause: OxbowError?

    package init(_ kind: Kind, _ message: String, cause: OxbowError? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}

extension ServerError {
    init(_ error: OxbowError) {
        let kind: Kind =
            switch error.kind {
            case .busy: .busy
            case .invalid: .invalid
            case .conflict: .conflict
            case .notFound: .notFound
            case .full, .damaged, .reopen, .defect: .failed
            }
        self.init(kind, error.description, cause: error)
    }

    init(_ error: ComputeError) {
        let kind: Kind =
            switch error.kind {
            case .unavailable: .unavailable
            case .invalid: .invalid
            case .busy, .gone: .busy
            case .failed: .failed
            }
        self.init(kind, error.message)
    }

    init(_ refusal: Refusal) {
        let kind: Kind =
            switch refusal.state {
            case "3D000", "42704": .notFound
            case "42710", "55006": .conflict
            case "53300", "57P03": .busy
            case let state where state.hasPrefix("22") || state.hasPrefix("42"): .invalid
            default: .failed
            }
        let parts = [refusal.message, refusal.detail, refusal.hint].compactMap { $0 }
        self.init(kind, parts.joined(separator: "; "))
    }

    /// What went wrong, in one form.
    init(wrapping error: any Error) {
        switch error {
        case let error as ServerError: self = error
        case let error as OxbowError: self.init(error)
        case let error as ComputeError: self.init(error)
        case let error as Refusal: self.init(error)
        case let error as WALError: self.init(Refusal(error))
        case let error as MountError:
            self.init(error.kind == .unavailable ? .unavailable : .failed, error.message)
        case let error as VolumeError: self.init(.failed, error.message)
        default: self.init(.failed, "\(error)")
        }
    }

    /// Does something, and says of what went wrong in one form.
    package static func telling<Result>(
        _ body: () throws -> Result
    ) throws(ServerError) -> Result {
        do { return try body() } catch { throw ServerError(wrapping: error) }
    }
}

extension Refusal {
    init(_ error: ServerError) {
        if let cause = error.cause {
            self.init(cause)
            return
        }
        let state =
            switch error.kind {
            case .unavailable, .failed: "57P03"
            case .invalid: "22023"
            case .notFound: "3D000"
            case .conflict: "55006"
            case .busy: "53300"
            }
        self.init(state, error.message)
    }

    /// What went wrong, in one form.
    init(wrapping error: any Error) {
        switch error {
        case let refusal as Refusal: self = refusal
        case let error as OxbowError: self.init(error)
        case let error as ServerError: self.init(error)
        case let error as WALError: self.init(error)
        case let error as ComputeError where error.kind == .gone: self = .passing(error.message)
        case let error as ComputeError: self.init(ServerError(error))
        default: self.init("XX000", "\(error)")
        }
    }

    /// Does something, and says of what went wrong in one form.
    static func telling<Result>(_ body: () throws -> Result) throws(Refusal) -> Result {
        do { return try body() } catch { throw Refusal(wrapping: error) }
    }
}
