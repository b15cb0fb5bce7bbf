import DiskIO
import WriteAheadLog

/// What the engine says when something cannot be done.
///
/// Decide by ``kind``, which is chosen by what the caller can do; show ``message`` to people.
public struct OxbowError: Error, Sendable, CustomStringConvertible {
    /// What the caller can do.
    public enum Kind: String, Sendable, CaseIterable {
        /// Try again: somebody else is at it, such as another process that holds the store.
        case busy
        /// Mend the call: an argument is outside of what is allowed.
        case invalid
        /// Choose another name, or use what is there: it exists already, or stands in the way.
        case conflict
        /// Look again: there is no such branch, snapshot, point or store.
        case notFound
        /// Free space, and try again: nothing was lost.
        case full
        /// Restore from elsewhere: bytes on the disk are not those that were written.
        case damaged
        /// Open the store anew: a write failed, and nothing is acknowledged until then.
        case reopen
        /// Report it: this should not happen.
        case defect
    }

    /// What the caller can do.
    public let kind: Kind
    /// What was tried, on what, and what is wrong, in a sentence. What a name or a path has in it
    /// that would end the line, or that a terminal would obey, is escaped as in Swift.
    public let message: String
    /// What the layer below said, where there is one.
    public let cause: String?
    /// Of a store that does not open since it is damaged: what a check would list.
    public internal(set) var problem: CheckProblem?

    init(_ kind: Kind, _ message: String, cause: String? = nil) {
        self.kind = kind
        self.message = message.onOneLine
        self.cause = cause?.onOneLine
    }

    /// The message, and the cause where there is one.
    public var description: String { cause.map { "\(message): \($0)" } ?? message }
}

extension String {
    fileprivate var onOneLine: String {
        var line = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += scalar.escaped(asASCII: true)
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}

extension OxbowError {
    /// What a lower layer's error means to who tried to do something.
    init(_ error: LogError, _ action: String) {
        switch error {
        case .disk(.full(let operation)):
            self.init(
                .full,
                "\(action): the disk is full; free space and try again",
                cause: operation
            )
        case .disk(.held(let pid)):
            self.init(.busy, "\(action): the store is in use by process \(pid)")
        case .disk(let error):
            self.init(.reopen, "\(action): the disk failed", cause: "\(error)")
        case .damaged(let damage):
            self.init(.damaged, "\(action): the store is damaged", cause: "\(damage)")
        case .full(let available, let needed):
            self.init(
                .full,
                "\(action): the disk is full (\(available) bytes free, \(needed) needed); delete "
                    + "what is not needed and reclaim, or free space, and try again"
            )
        case .poisoned(let error):
            self.init(
                .reopen,
                "\(action): an earlier write failed; close the store and open it again",
                cause: "\(error)"
            )
        case .notKept(let lsn):
            self.init(.notFound, "\(action): the history at \(lsn) is not kept any more")
        case .closed: self.init(.reopen, "\(action): the store was closed")
        case .needsSegment, .needsNode:
            self.init(.defect, "\(action): the engine lost its way", cause: "\(error)")
        case .tooLarge(let count):
            self.init(.defect, "\(action): a record of \(count) bytes")
        }
    }
}

/// Runs what the lower layers can fail at, and says what was tried where they do.
func attempt<Result>(
    _ action: @autoclosure () -> String,
    _ body: () throws(LogError) -> Result
) throws(OxbowError) -> Result {
    do throws(LogError) { return try body() } catch { throw OxbowError(error, action()) }
}
