import Timelines
import WriteAheadLog

/// How far back history is kept: for how long, and in how many bytes of log at most.
public struct HistoryWindow: Sendable, Equatable {
    /// How long history is kept.
    public let duration: Duration
    /// How many bytes of log are kept for it at most.
    public let bytes: UInt64

    init(_ window: Window) {
        duration = .nanoseconds(Int64(clamping: window.nanoseconds))
        bytes = window.bytes
    }
}

extension Store {
    /// The store's window: that of every branch that has none of its own.
    public func window() throws(OxbowError) -> HistoryWindow {
        try core.checkOpen("look up the window")
        return HistoryWindow(core.snapshot().state.window)
    }

    /// The window that counts: all branches share the log, so it is the most that a branch asks
    /// for, in time and in bytes. One that was deleted asks as long as it can be undeleted by that.
    public func windowInEffect() throws(OxbowError) -> HistoryWindow {
        try core.checkOpen("look up the window")
        return try attempt("look up the window") { () throws(LogError) in
            let now = core.toldRetentionTime
            return try core.look { catalog throws(LogError) in
                HistoryWindow(try core.longestWindow(catalog, at: now))
            }
        }
    }
}

extension Branch {
    /// The branch's own window; nil where the store's counts for it.
    public func window() throws(OxbowError) -> HistoryWindow? {
        try core.branchEntry(id, evenDeleted: true).window.map(HistoryWindow.init)
    }

    /// Takes the branch's own window away: the store's counts for it again.
    public func clearWindow(by author: Author = Author()) throws(OxbowError) {
        try core.setWindow(nil, of: id, author)
    }
}
