import Glibc

/// What is read from: the standard input.
package struct Input {
    private let descriptor: Int32

    package init(_ descriptor: Int32 = STDIN_FILENO) { self.descriptor = descriptor }

    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Reads that many bytes, fewer only at the end.
    package func read(_ count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress?.advanced(by: done), count - done)
            }
            if got == 0 { break }
            if got > 0 {
                done += got
            } else if errno != EINTR {
                throw Failure(
                    "input",
                    "read the standard input: \(unsafe String(cString: strerror(errno)))"
                )
            }
        }
        bytes.removeLast(count - done)
        return bytes
    }
}
