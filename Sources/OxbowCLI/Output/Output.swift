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
    private let results: ByteStream
    private let messages: ByteStream
    private static let limit = 64 << 10

    package init(
        results: ByteStream = ByteStream(STDOUT_FILENO),
        messages: ByteStream = ByteStream(STDERR_FILENO)
    ) {
        self.results = results
        self.messages = messages
    }

    package var resultsGoToTerminal: Bool { results.isTerminal }
    package var messagesGoToTerminal: Bool { messages.isTerminal }

    /// Ends long work that nobody waits for any more.
    package func expectReader() throws(CommandFailure) {
        if messages.isAbandoned { throw .abandoned }
    }

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
        switch results.write(buffer) {
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
    package func note(_ text: String) { _ = messages.write(Array(text.utf8)) }
}
