import CLinux
import DiskIO
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

    private func greet(
        _ role: String,
        database: String = "postgres",
        _ more: [String] = []
    ) -> Bool {
        var body: [UInt8] = [0, 3, 0, 0]
        for word in ["user", role, "database", database, "application_name", "oxbow"] + more {
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

    fileprivate static func contains(_ bytes: [UInt8], _ field: String) -> Bool {
        bytes.split(separator: 0).contains { $0.elementsEqual(field.utf8) }
    }
}

/// Why a compute did not answer a question.
enum ProbeFailure: Error, Equatable {
    /// It is not there, or is just coming or going.
    case away
    /// It has no session left.
    case full
    /// What is wrong, as a sentence.
    case failed(String)
}

/// What an answer may be at most.
struct ProbeLimits {
    var rows: Int
    var bytes: Int
    var seconds: Int
}

/// Rows of texts, whatever their encoding; nil is null.
typealias ProbeRows = [[[UInt8]?]]

extension PostgresProbe {
    /// What no setting of a role or a database may change about a question.
    private static let settings = [
        "client_encoding", "SQL_ASCII", "search_path", "pg_catalog", "role", "none",
        "default_transaction_isolation", "read committed", "statement_timeout", "2000",
    ]

    /// Asks something, in the first database that is there and lets sessions in, and returns all
    /// rows of all statements. Beside those that are given, a cluster's usual ones are tried.
    ///
    /// The other side may say anything, for as long as it likes: what comes of it is bounded.
    static func rows(
        _ sql: String,
        at path: String,
        role: String,
        database: String? = nil,
        orElse last: String? = nil,
        _ limits: ProbeLimits
    ) throws(ProbeFailure) -> ProbeRows {
        let until = SystemClock().monotonic() + UInt64(limits.seconds) * 1_000_000_000
        for database in [database, "postgres", "template1", last].compactMap({ $0 }) {
            if let rows = try rows(sql, at: path, role, database, limits, until) { return rows }
        }
        throw .failed("no database is known that lets it in, neither postgres nor template1")
    }

    /// Nil where there is no such database.
    private static func rows(
        _ sql: String,
        at path: String,
        _ role: String,
        _ database: String,
        _ limits: ProbeLimits,
        _ until: UInt64
    ) throws(ProbeFailure) -> ProbeRows? {
        guard let session = connected(to: path, timeoutSeconds: limits.seconds) else {
            // Nobody listens; else it does, and takes nobody.
            if errno == ECONNREFUSED || errno == ENOENT { throw .away }
            throw .failed("it does not take sessions")
        }
        guard session.greet(role, database: database, settings) else { throw .away }
        var stream = ProbeStream(socket: session.socket, limits: limits, until: until)
        var isAsked = false
        var rows: ProbeRows = []
        while true {
            let (kind, body) = try stream.message()
            switch kind {
            case UInt8(ascii: "E"):
                // It is not there, or lets nobody in.
                if !isAsked, contains(body, "C3D000") || contains(body, "C55000") { return nil }
                throw ProbeStream.failure(body)
            case UInt8(ascii: "R") where body != [0, 0, 0, 0]:
                throw .failed("it asks the server for a password")
            case UInt8(ascii: "D"):
                guard isAsked, rows.count < limits.rows else {
                    throw .failed("it has more than \(limits.rows) rows")
                }
                rows.append(try ProbeStream.row(body))
            case UInt8(ascii: "Z") where isAsked:
                // A goodbye, so that its log has nothing to say of us.
                _ = session.send(UInt8(ascii: "X"), [])
                return rows
            case UInt8(ascii: "Z"):
                isAsked = true
                guard session.send(UInt8(ascii: "Q"), Array(sql.utf8) + [0]) else {
                    throw .away
                }
            default: continue
            }
        }
    }
}

/// Messages of a compute's, until a time.
private struct ProbeStream {
    let socket: Int32
    let limits: ProbeLimits
    let until: UInt64
    private var buffer: [UInt8] = []
    private var start = 0
    private var total = 0

    private static let messageLimit = 1 << 20

    init(socket: Int32, limits: ProbeLimits, until: UInt64) {
        self.socket = socket
        self.limits = limits
        self.until = until
    }

    mutating func message() throws(ProbeFailure) -> (kind: UInt8, body: [UInt8]) {
        let head = try take(5)
        let count = head[1...].reduce(0) { $0 << 8 | Int($1) } - 4
        guard (0...Self.messageLimit).contains(count) else {
            throw .failed("it says a message of \(count) bytes")
        }
        return (head[0], try take(count))
    }

    private mutating func take(_ count: Int) throws(ProbeFailure) -> [UInt8] {
        while buffer.count - start < count { try fill() }
        defer { start += count }
        return Array(buffer[start..<start + count])
    }

    private mutating func fill() throws(ProbeFailure) {
        buffer.removeFirst(start)
        start = 0
        let now = SystemClock().monotonic()
        let wait = until > now ? Int32((until - now + 999_999) / 1_000_000) : 0
        var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let found = unsafe poll(&waiting, 1, wait)
        if found < 0, errno == EINTR { return }
        guard found > 0 else {
            throw .failed("it did not answer within \(limits.seconds) seconds")
        }
        var more = [UInt8](repeating: 0, count: 1 << 16)
        let got = unsafe recv(socket, &more, more.count, 0)
        if got < 0, errno == EINTR { return }
        guard got > 0 else { throw .away }
        total += got
        guard total <= limits.bytes else {
            throw .failed("it says more than \(limits.bytes) bytes")
        }
        buffer += more[..<got]
    }

    static func row(_ body: [UInt8]) throws(ProbeFailure) -> [[UInt8]?] {
        let malformed = ProbeFailure.failed("it says a row that is none")
        var rest = body[...]
        func number(_ count: Int) throws(ProbeFailure) -> Int {
            guard rest.count >= count else { throw malformed }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        }
        var values: [[UInt8]?] = []
        for _ in 0..<(try number(2)) {
            let length = try number(4)
            if length == 0xFFFF_FFFF {
                values.append(nil)
                continue
            }
            guard length <= rest.count else { throw malformed }
            values.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        guard rest.isEmpty else { throw malformed }
        return values
    }

    /// What an error says. While it starts and stops it is as good as not there.
    static func failure(_ body: [UInt8]) -> ProbeFailure {
        let fields = body.split(separator: 0)
        let state = fields.first { $0.first == UInt8(ascii: "C") }?.dropFirst() ?? []
        if ["57P01", "57P02", "57P03"].contains(where: { state.elementsEqual($0.utf8) }) {
            return .away
        }
        if state.elementsEqual("53300".utf8) { return .full }
        let text = fields.first { $0.first == UInt8(ascii: "M") }?.dropFirst().prefix(500) ?? []
        return .failed("it says: " + RoleText.shown(Array(text)))
    }
}
