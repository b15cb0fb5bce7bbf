import CEventPoll
import Glibc
import Primitives

/// The system's calls for sockets, each with its errors as values.
enum Sockets {
    /// What came of an attempt that must not wait.
    enum Outcome: Equatable {
        case bytes(Int)
        case wouldBlock
        /// The peer sends nothing more, or takes nothing more.
        case ended
    }

    static let backlog: Int32 = 1024

    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    static func receive(
        _ descriptor: Int32,
        _ buffer: UnsafeMutableRawBufferPointer,
        peeking: Bool = false
    ) -> Outcome {
        while true {
            let flags = peeking ? Int32(MSG_PEEK) : 0
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, flags)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .ended
        }
    }

    static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Outcome {
        while true {
            let flags = Int32(MSG_NOSIGNAL)
            let count = unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags)
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .ended
        }
    }

    /// Tells the peer that nothing more comes.
    static func finishSending(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Makes a socket wait, or not.
    static func setBlocking(_ descriptor: Int32, _ blocks: Bool) {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe setsockopt(descriptor, level, option, &value, size)
    }

    /// What a session over TCP needs: nothing held back, and an end where the peer is gone.
    static func tuneForSession(_ descriptor: Int32) {
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// The most that a call of a socket that waits may take.
    static func setTimeout(_ descriptor: Int32, milliseconds: Int) {
        // Laid out as timeval is, which belongs to another module in each build.
        var time = (Int(milliseconds / 1000), Int(milliseconds % 1000 * 1000))
        let size = socklen_t(MemoryLayout<(Int, Int)>.size)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &time, size)
        }
    }

    private static func socket(_ family: Int32, _ flags: Int32) throws(SystemError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags
        let descriptor = Glibc.socket(family, kind, 0)
        guard descriptor >= 0 else { throw SystemError("make a socket") }
        return descriptor
    }

    // MARK: Unix sockets

    private static func withAddress(
        _ path: String,
        _ operation: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path), !path.utf8.contains(0)
        else { throw SystemError("\(operation) \(path)", ENAMETOOLONG) }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let result = unsafe withUnsafePointer(to: &address) { address in
            // Safe: each kind of address begins as sockaddr does.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SystemError("\(operation) \(path)") }
    }

    /// Connects, and waits for that as long as for anything on the socket.
    static func connect(path: String, timeoutMilliseconds: Int) throws(SystemError) -> Int32 {
        let descriptor = try socket(AF_UNIX, 0)
        setTimeout(descriptor, milliseconds: timeoutMilliseconds)
        do throws(SystemError) {
            try unsafe withAddress(path, "connect to") { unsafe Glibc.connect(descriptor, $0, $1) }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Listens on a path, in the place of a socket on which nobody listens any more.
    static func listen(path: String) throws(SystemError) -> Int32 {
        if let other = try? connect(path: path, timeoutMilliseconds: 1000) {
            close(other)
            throw SystemError("listen on \(path)", EADDRINUSE)
        }
        _ = unsafe unlink(path)
        let descriptor = try socket(AF_UNIX, Int32(SOCK_NONBLOCK.rawValue))
        do throws(SystemError) {
            try unsafe withAddress(path, "listen on") { address, size in
                let result = unsafe bind(descriptor, address, size)
                return result == 0 ? Glibc.listen(descriptor, backlog) : result
            }
        } catch {
            close(descriptor)
            throw error
        }
        // Who may connect is for the folder and the password to say.
        _ = unsafe chmod(path, 0o777)
        return descriptor
    }

    static func remove(path: String) { _ = unsafe unlink(path) }

    // MARK: TCP

    /// Listens on an address given in digits; returns the port, which the system chose if it was 0.
    static func listen(
        host: String,
        port: UInt16
    ) throws(SystemError) -> (descriptor: Int32, port: UInt16) {
        let operation = "listen on \(host) port \(port)"
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &found) == 0,
            let information = unsafe found
        else { throw SystemError(operation, EADDRNOTAVAIL) }
        defer { unsafe freeaddrinfo(information) }
        let descriptor = try socket(
            unsafe information.pointee.ai_family,
            Int32(SOCK_NONBLOCK.rawValue)
        )
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        guard
            unsafe bind(
                descriptor,
                information.pointee.ai_addr,
                information.pointee.ai_addrlen
            ) == 0, Glibc.listen(descriptor, backlog) == 0
        else {
            let error = SystemError(operation)
            close(descriptor)
            throw error
        }
        return (descriptor, Self.port(of: descriptor))
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        unsafe withUnsafeMutablePointer(to: &address) { address in
            // Safe: large enough for both families, whose ports stand in the same place.
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(descriptor, $0, &size)
            }
        }
        return UInt16(bigEndian: address.sin6_port)
    }

    /// Who connects: the address without the port; empty for a Unix socket.
    typealias Peer = [UInt8]

    /// The next connection; nil where none waits.
    static func accept(_ listener: Int32) throws(SystemError) -> (descriptor: Int32, peer: Peer)? {
        while true {
            var storage = sockaddr_storage()
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = unsafe oxbow_accept(listener, &storage, &size, flags)
            if descriptor >= 0 { return (descriptor, peer(&storage)) }
            // The connection ended before it was taken.
            if errno == EINTR || errno == ECONNABORTED { continue }
            if errno == EAGAIN { return nil }
            throw SystemError("accept a connection")
        }
    }

    private static func peer(_ storage: inout sockaddr_storage) -> Peer {
        let family = Int32(storage.ss_family)
        return unsafe withUnsafeBytes(of: &storage) { bytes in
            switch family {
            // Where the address stands in sockaddr_in and in sockaddr_in6. Of the latter the
            // network's half: the other is the peer's to choose.
            case AF_INET: unsafe Array(bytes[4..<8])
            case AF_INET6: unsafe Array(bytes[8..<(isMapped(bytes) ? 24 : 16)])
            default: []
            }
        }
    }

    /// Whether an address of IPv6 stands for one of IPv4.
    private static func isMapped(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe bytes[8..<18].allSatisfy { $0 == 0 } && bytes[18] == 0xFF && bytes[19] == 0xFF
    }
}
