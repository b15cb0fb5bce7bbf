import Foundation
import PostgresWire

/// A client that says what it is told, over a socket that waits.
final class FrontClient {
    struct Lost: Error {}

    let descriptor: Int32
    private(set) var key = CancelKey(processID: 0, secret: [])
    private(set) var notices: [ServerReport] = []
    private var reader = FrameReader(.backend)

    /// Connects, and says nothing.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw Lost() }
    }

    /// Connects and logs in.
    convenience init(
        _ fixture: FrontFixture,
        database: String = "app",
        version: ProtocolVersion = .v3
    ) throws {
        try self.init(port: fixture.port)
        let startup = StartupMessage(
            version,
            [WireParameter("user", "app"), WireParameter("database", WireString(database))]
        )
        var handshake = ComputeHandshake(
            startup,
            ComputeHandshake.Configuration(password: Array(FrontPostgres.password.utf8)),
            randomBytes: Array("a nonce for tests!".utf8)
        )
        while true {
            switch handshake.next() {
            case .send(let bytes)?: try send(bytes)
            case .ready(let session)?:
                key = session.key
                notices = session.notices
                reader.append(session.received)
                return
            case .refused(let report)?: throw Refused(report: report)
            case .failed(let error)?: throw error
            case nil:
                let bytes = receive()
                if bytes.isEmpty { throw Lost() }
                handshake.receive(bytes)
            }
        }
    }

    struct Refused: Error { let report: ServerReport }

    deinit { close(descriptor) }

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
            if count <= 0 { throw Lost() }
            sent += count
        }
    }

    func send(_ messages: FrontendMessage...) throws {
        var writer = WireWriter()
        for message in messages { try message.encode(into: &writer) }
        try send(writer.bytes)
    }

    /// What comes next; nothing where the connection has ended.
    func receive(_ limit: Int = 64 << 10) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        return Array(buffer.prefix(max(0, count)))
    }

    /// The next message; nil where the connection has ended.
    func next(reading limit: Int = 64 << 10) throws -> BackendMessage? {
        while true {
            if let frame = try reader.next() { return try BackendMessage(frame) }
            let bytes = receive(limit)
            if bytes.isEmpty { return nil }
            reader.append(bytes)
        }
    }

    /// All messages up to the next ReadyForQuery, or the end.
    func untilReady() throws -> [BackendMessage] {
        var all: [BackendMessage] = []
        while let message = try next() {
            all.append(message)
            if case .ready = message { break }
        }
        return all
    }

    /// The rows of a query, as texts.
    func query(_ text: String) throws -> [[String?]] {
        try send(.query(WireString(text)))
        return try untilReady().rows
    }

    /// Whether the connection ends without another byte.
    func endsInSilence() -> Bool { receive().isEmpty }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }
}

extension [BackendMessage] {
    var rows: [[String?]] {
        compactMap { message in
            guard case .dataRow(let row) = message else { return nil }
            return row.map { $0.map { String(decoding: $0, as: UTF8.self) } }
        }
    }

    /// The SQLSTATEs of errors.
    var states: [String] {
        compactMap { message in
            guard case .error(let report) = message else { return nil }
            return report.sqlState
        }
    }
}
