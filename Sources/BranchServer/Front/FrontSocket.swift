import Primitives

/// A socket on which the front listens.
final class FrontSocket: Sendable {
    struct Accepted: Sendable {
        let descriptor: Int32
        let peer: Sockets.Peer
        let socket: FrontSocket
    }

    let descriptor: Int32
    let path: String?
    /// The branch of connections that name none; nil for the default one.
    let branch: String?
    let port: UInt16?
    let requiresTLS: Bool

    var isUnix: Bool { path != nil }

    /// A Unix socket in a folder of a branch's.
    init(path: String, branch: String?) throws(SystemError) {
        descriptor = try Sockets.listen(path: path)
        self.path = path
        self.branch = branch
        port = nil
        requiresTLS = false
    }

    init(host: String, port: UInt16, requiresTLS: Bool) throws(SystemError) {
        let listening = try Sockets.listen(host: host, port: port)
        descriptor = listening.descriptor
        self.port = listening.port
        self.requiresTLS = requiresTLS
        path = nil
        branch = nil
    }

    func close() {
        Sockets.close(descriptor)
        if let path { Sockets.remove(path: path) }
    }
}
