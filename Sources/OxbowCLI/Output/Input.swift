import Glibc

/// What is read from: the standard input, or a file.
package struct Input: Sendable {
    private let stream: ByteStream

    package init(_ stream: ByteStream = ByteStream(STDIN_FILENO)) { self.stream = stream }

    package var isTerminal: Bool { stream.isTerminal }

    /// Reads that many bytes, fewer only at the end.
    package func read(_ count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let (got, code) = unsafe bytes.withUnsafeMutableBytes {
                unsafe stream.read(UnsafeMutableRawBufferPointer(rebasing: $0[done...]))
            }
            if got == 0 { break }
            guard got > 0 else {
                if code == ECANCELED { throw .abandoned }
                throw Failure(
                    "input",
                    "read the standard input: \(unsafe String(cString: strerror(code)))"
                )
            }
            done += got
        }
        bytes.removeLast(count - done)
        return bytes
    }
}

extension Failure {
    /// Whoever asked for it is gone. Nobody hears this.
    package static var abandoned: Failure {
        Failure("input", "nobody waits for the command any more", isTold: true)
    }
}
