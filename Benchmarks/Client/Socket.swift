import Foundation
import Glibc

/// A socket that waits, to a server on this machine.
final class Socket {
    /// Where a server listens.
    enum Address: Sendable, Equatable, CustomStringConvertible {
        /// The folder of a Unix socket, and the number in its name.
        case unix(folder: String, port: Int)
        /// A port of this machine.
        case loopback(port: Int)

        var description: String {
            switch self {
            case .unix(let folder, let port): "\(folder)/.s.PGSQL.\(port)"
            case .loopback(let port): "127.0.0.1:\(port)"
            }
        }

        /// What libpq takes for its host.
        var host: String {
            if case .unix(let folder, _) = self { folder } else { "127.0.0.1" }
        }

        var port: Int {
            switch self {
            case .unix(_, let port), .loopback(let port): port
            }
        }
    }

    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(_ address: Address, timeoutSeconds: Int = 600) throws {
        let family = if case .unix = address { AF_UNIX } else { AF_INET }
        descriptor = Glibc.socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure("make a socket") }
        var time = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(descriptor, SOL_SOCKET, option, &time, size)
        }
        guard connect(address) == 0 else { throw Self.failure("connect to \(address)") }
    }

    deinit { close(descriptor) }

    private static func failure(_ what: String) -> BenchmarkError {
        BenchmarkError("\(what): \(String(cString: strerror(errno)))")
    }

    private func connect(_ address: Address) -> Int32 {
        switch address {
        case .unix:
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            let path = Array(address.description.utf8)
            guard path.count < MemoryLayout.size(ofValue: name.sun_path) else {
                errno = ENAMETOOLONG
                return -1
            }
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
            return withUnsafeBytes(of: &name) { Self.connect(descriptor, $0) }
        case .loopback(let port):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
            name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var on: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
            return withUnsafeBytes(of: &name) { Self.connect(descriptor, $0) }
        }
    }

    private static func connect(_ descriptor: Int32, _ name: UnsafeRawBufferPointer) -> Int32 {
        guard let address = name.bindMemory(to: sockaddr.self).baseAddress else { return -1 }
        return Glibc.connect(descriptor, address, socklen_t(name.count))
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor,
                    $0.baseAddress.map { $0 + sent },
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("send to a server") }
            sent += count
        }
    }

    /// What comes next; an error where the connection has ended.
    func receive() throws -> [UInt8] {
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count != 0 else { throw BenchmarkError("the server closed the connection") }
            guard count > 0 else { throw Self.failure("receive from a server") }
            return Array(buffer[..<count])
        }
    }
}
