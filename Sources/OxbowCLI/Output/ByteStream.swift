import Glibc
import Synchronization

/// A descriptor that a command reads or writes: its process's own, or, where a server does the
/// command, its client's.
///
/// A client's pipe may be full, or empty, for ever, and the client be gone meanwhile: so it is
/// waited for together with the client. What is done to the descriptor must not change it for
/// others who have it open, as setting it not to wait would.
package final class ByteStream: Sendable {
    private let given: Int32
    /// A description of our own of the same pipe or terminal, which never waits; or -1.
    private let own: Int32
    private let isSocket: Bool
    /// Readable when the client is gone; nil where the process itself is the client.
    private let client: Int32?

    /// One of the process's own.
    package init(_ descriptor: Int32) {
        given = descriptor
        own = -1
        isSocket = false
        client = nil
    }

    /// One of a client's, who is gone when the other descriptor becomes readable.
    package init(_ descriptor: Int32, client: Int32, isInput: Bool) {
        given = descriptor
        self.client = client
        var found = stat()
        _ = unsafe fstat(descriptor, &found)
        let format = found.st_mode & S_IFMT
        isSocket = format == S_IFSOCK
        let flags = (isInput ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        let waits = format == S_IFIFO || format == S_IFCHR
        own = waits ? unsafe open("/proc/self/fd/\(descriptor)", flags) : -1
    }

    deinit { if own >= 0 { close(own) } }

    private var descriptor: Int32 { own >= 0 ? own : given }

    package var isTerminal: Bool { isatty(given) == 1 }

    /// Whether nobody waits for the command any more.
    package var isAbandoned: Bool {
        guard let client else { return false }
        var watched = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watched, 1, 0) > 0
    }

    /// Waits until something can be read or written; false where the client is gone.
    private func wait(for events: Int32) -> Bool {
        guard let client else { return true }
        var watched = [
            pollfd(fd: descriptor, events: Int16(events), revents: 0),
            pollfd(fd: client, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let count = unsafe poll(&watched, 2, -1)
            if count > 0 { return watched[1].revents == 0 }
            if errno != EINTR { return true }
        }
    }

    /// Writes all. Returns 0, or the system's error number; EPIPE where nobody reads any more.
    package func write(_ bytes: [UInt8]) -> Int32 {
        var done = 0
        while done < bytes.count {
            guard wait(for: POLLOUT) else { return EPIPE }
            // A pipe that is ready takes so much without waiting, whoever else writes to it.
            let limit = client == nil || own >= 0 ? bytes.count - done : Int(PIPE_BUF)
            let size = min(limit, bytes.count - done)
            let count = unsafe bytes.withUnsafeBytes {
                let start = unsafe $0.baseAddress?.advanced(by: done)
                let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
                return unsafe isSocket
                    ? send(given, start, size, flags) : Glibc.write(descriptor, start, size)
            }
            if count >= 0 {
                done += count
            } else if errno != EINTR, errno != EAGAIN {
                return errno
            }
        }
        return 0
    }

    /// Reads at most as much as there is room for: 0 at the end, -1 with the error number.
    package func read(_ buffer: UnsafeMutableRawBufferPointer) -> (count: Int, code: Int32) {
        while true {
            guard wait(for: POLLIN) else { return (-1, ECANCELED) }
            let count =
                unsafe isSocket
                ? recv(given, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                : Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return (count, 0) }
            if errno != EINTR, errno != EAGAIN { return (-1, errno) }
        }
    }
}
