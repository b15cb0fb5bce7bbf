import Glibc
import Primitives

/// The way to a server that has a store open.
package enum ControlClient {
    /// Why a command was not done, or it is not known whether it was.
    package struct Failure: Error, Sendable {
        package let message: String
        /// Whether the server said so, and nothing was begun.
        package let isRefusal: Bool
    }

    /// Whether a server answers for a store.
    package static func isServed(store: String) -> Bool {
        guard let socket = connect(store: store) else { return false }
        close(socket)
        return true
    }

    /// Has a command done by the server that has the store open, and waits for its end; nil where
    /// there is none. It reads and writes the descriptors itself.
    package static func run(
        _ request: ControlRequest,
        store: String,
        input: Int32,
        results: Int32,
        messages: Int32
    ) throws(Failure) -> Int32? {
        guard let socket = connect(store: store) else { return nil }
        defer { close(socket) }
        guard let bytes = request.encoded() else {
            throw Failure(message: "the command is too long for the server", isRefusal: true)
        }
        let sent = ControlChannel.send(bytes, with: [input, results, messages], on: socket)
        // Where the server says no before it has heard all, its answer is there all the same.
        if sent > 0 { ControlChannel.sendAll(Array(bytes[sent...]), on: socket) }
        do {
            let header = try ControlChannel.receiveAll(ControlReply.headerBytes, on: socket)
            let length = try ControlReply.bodyLength(header: header)
            let body = try ControlChannel.receiveAll(length, on: socket)
            switch try ControlReply(kind: header[0], body: body) {
            case .exit(let code): return code
            case .refused(let sentence): throw Failure(message: sentence, isRefusal: true)
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(
                message: "the server ended while the command ran: what it did until then is kept",
                isRefusal: false
            )
        }
    }

    private static func connect(store: String) -> Int32? {
        try? ControlChannel.withPath(in: "\(store)/server") { path throws(SystemError) in
            let socket = try Sockets.connect(path: path, timeoutMilliseconds: 5000)
            // A command may take as long as it takes.
            Sockets.setTimeout(socket, milliseconds: 0)
            return socket
        }
    }
}
