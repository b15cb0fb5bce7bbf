import DemoCatalog
import DiskIO
import Foundation
import PostgresWire

/// Who connects, and to what.
struct Login: Sendable {
    var address: Socket.Address
    var user: String
    var database: String
    var password: String?

    init(
        _ address: Socket.Address,
        user: String = "postgres",
        database: String,
        password: String? = nil
    ) {
        self.address = address
        self.user = user
        self.database = database
        self.password = password
    }

    /// The same server, another database: through the front that is another branch, too.
    func on(_ database: String) -> Login {
        var login = self
        login.database = database
        return login
    }

    /// What libpq reads of its environment.
    var environment: [String: String] {
        var words = [
            "PGHOST": address.host, "PGPORT": "\(address.port)", "PGUSER": user,
            "PGDATABASE": database, "PGSSLMODE": "disable",
        ]
        words["PGPASSWORD"] = password
        return words
    }
}

/// What PostgreSQL answers where it does not do what was asked.
struct Refused: Error, CustomStringConvertible {
    let state: String
    let message: String

    var description: String { "\(message) (\(state))" }

    init(_ report: ServerReport) {
        state = report[.state]?.text ?? ""
        message = [report[.message], report[.detail], report[.hint]].compactMap { $0?.text }
            .joined(separator: "; ")
    }
}

/// A session with PostgreSQL: the client of the experiment, which knows to the microsecond when it
/// was let in and when the first row came.
final class Session {
    private let socket: Socket
    private var reader = FrameReader(.backend)
    /// When the session could be used: ReadyForQuery, after authentication.
    private(set) var ready: UInt64 = 0
    /// When the first row of the last query came.
    private(set) var firstRow: UInt64?
    /// What the server noted while the session began, and since.
    private(set) var notices: [String] = []

    init(_ login: Login, timeoutSeconds: Int = 600) throws {
        socket = try Socket(login.address, timeoutSeconds: timeoutSeconds)
        var handshake = ComputeHandshake(
            StartupMessage(
                .v3,
                [
                    WireParameter("user", WireString(login.user)),
                    WireParameter("database", WireString(login.database)),
                ]
            ),
            ComputeHandshake.Configuration(password: login.password.map { Array($0.utf8) }),
            randomBytes: Session.nonce()
        )
        while ready == 0 {
            switch handshake.next() {
            case .send(let bytes)?: try socket.send(bytes)
            case .ready(let session)?:
                ready = Measure.now()
                notices = session.notices.map { Refused($0).message }
                reader.append(session.received)
            case .refused(let report)?: throw Refused(report)
            case .failed(let error)?: throw BenchmarkError("\(login.address): \(error)")
            case nil: handshake.receive(try socket.receive())
            }
        }
    }

    private static func nonce() -> [UInt8] {
        (0..<3).flatMap { _ in withUnsafeBytes(of: SystemEntropy.draw()) { Array($0) } }
    }

    /// Says goodbye.
    func end() { try? send(.terminate) }

    private func send(_ message: FrontendMessage) throws {
        var writer = WireWriter()
        try message.encode(into: &writer)
        try socket.send(writer.bytes)
    }

    private func next() throws -> BackendMessage {
        while true {
            if let frame = try reader.next() { return try BackendMessage(frame) }
            reader.append(try socket.receive())
        }
    }

    // MARK: Queries

    /// Runs a statement; its rows, as texts.
    @discardableResult
    func query(_ sql: String) throws -> [[String?]] {
        firstRow = nil
        try send(.query(WireString(sql)))
        var rows: [[String?]] = []
        try untilReady { message in
            guard case .dataRow(let values) = message else { return }
            if rows.isEmpty { firstRow = Measure.now() }
            rows.append(values.map { $0.map { String(decoding: $0, as: UTF8.self) } })
        }
        return rows
    }

    /// The one value of a statement that returns one.
    func value(_ sql: String) throws -> String {
        guard let value = try query(sql).first?.first ?? nil else {
            throw BenchmarkError("no value: \(sql)")
        }
        return value
    }

    /// Copies rows in.
    func copy(_ sql: String, _ rows: some Sequence<[UInt8]>) throws {
        try send(.query(WireString(sql)))
        var isTaken = false
        while !isTaken {
            switch try next() {
            case .copyInResponse: isTaken = true
            case .error(let report): throw Refused(report)
            case .notice: continue
            default: throw BenchmarkError("no COPY: \(sql)")
            }
        }
        for piece in rows { try send(.copyData(piece)) }
        try send(.copyDone)
        try untilReady { _ in }
    }

    /// Copies rows out, as they come.
    func copyOut(_ sql: String) throws -> [[UInt8]] {
        try send(.query(WireString(sql)))
        var rows: [[UInt8]] = []
        try untilReady { if case .copyData(let row) = $0 { rows.append(row) } }
        return rows
    }

    /// Makes a catalog.
    func load(_ catalog: CatalogGenerator) throws {
        for step in catalog.steps {
            switch step {
            case .statement(let sql): try query(sql)
            case .copy(let sql, let rows): try copy(sql, rows)
            }
        }
    }

    private func untilReady(_ body: (BackendMessage) throws -> Void) throws {
        var failure: Refused?
        while true {
            let message = try next()
            switch message {
            case .ready:
                if let failure { throw failure }
                return
            case .error(let report): failure = failure ?? Refused(report)
            case .notice(let report): notices.append(Refused(report).message)
            default: try body(message)
            }
        }
    }
}

extension Session {
    /// What a newcomer waits for, from a moment on: until authenticated, and until the first row.
    struct Arrival: Sendable {
        /// From the moment until the session could be used, in seconds.
        var authenticated: Double
        /// From the moment until the first row of the query, in seconds.
        var firstRow: Double
        var value: String
    }

    /// Connects, and asks for one value.
    static func arrive(
        _ login: Login,
        _ sql: String,
        since start: UInt64
    ) throws -> Arrival {
        let session = try Session(login)
        defer { session.end() }
        let value = try session.value(sql)
        return Arrival(
            authenticated: Double(session.ready - start) / 1e9,
            firstRow: Double((session.firstRow ?? Measure.now()) - start) / 1e9,
            value: value
        )
    }
}
