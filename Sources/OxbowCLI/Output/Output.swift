import Glibc

/// Where a command writes: results to the standard output, messages to the standard error.
///
/// A reader that has gone away (`oxbow history main | head -1`) ends the writing, and is no
/// failure: who reads has had enough.
package final class Output {
    /// What could not be written, and why.
    package struct Failure: Error {
        let reason: String
    }

    private var buffer: [UInt8] = []
    /// Nobody reads the results any more.
    package private(set) var isCut = false
    private let results: Int32
    private let messages: Int32
    private static let limit = 64 << 10

    package init(results: Int32 = STDOUT_FILENO, messages: Int32 = STDERR_FILENO) {
        self.results = results
        self.messages = messages
    }

    package var resultsGoToTerminal: Bool { isatty(results) == 1 }
    package var messagesGoToTerminal: Bool { isatty(messages) == 1 }

    /// Writes a line of results.
    package func line(_ text: String = "") throws(Failure) {
        buffer.append(contentsOf: text.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.limit { try flush() }
    }

    package func lines(_ lines: [String]) throws(Failure) {
        for text in lines { try line(text) }
    }

    package func json(_ value: JSON) throws(Failure) { try line(value.indentedText) }

    package func bytes(_ bytes: [UInt8]) throws(Failure) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.limit { try flush() }
    }

    /// Writes what was held back.
    package func flush() throws(Failure) {
        defer { buffer.removeAll(keepingCapacity: true) }
        if isCut { return }
        switch Self.write(buffer, to: results) {
        case 0: break
        case EPIPE: isCut = true
        case let code:
            isCut = true
            throw Failure(reason: unsafe String(cString: strerror(code)))
        }
    }

    /// Forgets what was held back: the command failed, and its results do not count.
    package func discard() { buffer.removeAll() }

    /// Writes a line for people to the standard error.
    package func message(_ text: String) { note(text + "\n") }

    /// Writes to the standard error as it is, at once.
    package func note(_ text: String) { _ = Self.write(Array(text.utf8), to: messages) }

    /// Returns 0, or the system's error number.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
            }
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
