import DiskIO
import Primitives

/// What a server has to tell who runs it: a line each, in at most 2 MiB of files beside the store.
// Safe to share: the log has a lock of its own.
package final class ServerLog: Sendable {
    private let log: ComputeLog
    private let clock = SystemClock()

    init(_ folder: ServerFolder) throws(ComputeError) {
        let path = folder.path + "/log"
        try ComputeFiles.makeFolder(path, mode: 0o700)
        log = ComputeLog(path)
    }

    func note(_ line: String) {
        log.append(Array("\(LogTime(rawValue: clock.now())) \(line)\n".utf8))
    }

    /// Oldest first.
    package var text: String { log.text }
}
