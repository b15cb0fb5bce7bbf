import Glibc

/// A session on a compute's private socket, for what the server itself has to ask of it.
struct PostgresProbe: ~Copyable {
    private let socket: Int32

    /// What a server answers to somebody who knocks.
    enum Answer: Equatable { case nobody, later, welcome }

    /// A message of at most this many bytes is read.
    private static let messageLimit = 1 << 20

    /// Connects; nil where nobody listens.
    private static func connected(
        to path: String,
        timeoutSeconds: Int
    ) -> PostgresProbe? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = Glibc.socket(AF_UNIX, kind, 0)
        guard socket >= 0 else { return nil }
        let session = PostgresProbe(socket: socket)
        Sockets.setTimeout(socket, milliseconds: timeoutSeconds * 1000)
        let connected = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { return nil }
        return session
    }

    private init(socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    /// Asks whether sessions are let in. Says no more than the names of a role and a database.
    static func knock(_ path: String, role: String) -> Answer {
        guard let session = connected(to: path, timeoutSeconds: 2), session.greet(role) else {
            return .nobody
        }
        guard let (kind, body) = session.message() else { return .later }
        // 57P03: it starts, stops or recovers. Anything else came after it let us in.
        if kind == UInt8(ascii: "E"), Self.contains(body, "C57P03") { return .later }
        // A goodbye, so that its log has nothing to say of us.
        _ = session.send(UInt8(ascii: "X"), [])
        return .welcome
    }

    /// Runs a statement that returns at most one value, which is returned.
    static func run(_ sql: String, at path: String, role: String) -> String? {
        guard let session = connected(to: path, timeoutSeconds: 300), session.greet(role),
            session.skip(to: UInt8(ascii: "Z")) != nil,
            session.send(UInt8(ascii: "Q"), Array(sql.utf8) + [0])
        else { return nil }
        var value = ""
        while let (kind, body) = session.message() {
            switch kind {
            case UInt8(ascii: "E"): return nil
            case UInt8(ascii: "D"): value = String(decoding: body.dropFirst(6), as: UTF8.self)
            case UInt8(ascii: "Z"): return value
            default: continue
            }
        }
        return nil
    }

    private func greet(_ role: String) -> Bool {
        var body: [UInt8] = [0, 3, 0, 0]
        for word in ["user", role, "database", "postgres", "application_name", "oxbow"] {
            body += Array(word.utf8) + [0]
        }
        return send(nil, body + [0])
    }

    private func send(_ kind: UInt8?, _ body: [UInt8]) -> Bool {
        let count = UInt32(body.count + 4)
        let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
        let bytes = (kind.map { [$0] } ?? []) + head + body
        return unsafe Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            == bytes.count
    }

    private func skip(to kind: UInt8) -> [UInt8]? {
        while let (found, body) = message() {
            if found == kind { return body }
            if found == UInt8(ascii: "E") { return nil }
        }
        return nil
    }

    private func message() -> (kind: UInt8, body: [UInt8])? {
        guard let head = read(5) else { return nil }
        let count = head[1...].reduce(0) { $0 << 8 | Int($1) } - 4
        guard count >= 0, count <= Self.messageLimit, let body = read(count) else { return nil }
        return (head[0], body)
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        if count == 0 { return bytes }
        let got = unsafe recv(socket, &bytes, count, Int32(MSG_WAITALL))
        return got == count ? bytes : nil
    }

    private static func contains(_ bytes: [UInt8], _ field: String) -> Bool {
        bytes.split(separator: 0).contains { $0.elementsEqual(field.utf8) }
    }
}
