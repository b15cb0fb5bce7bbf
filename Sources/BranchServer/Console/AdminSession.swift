package import PostgresWire
import Primitives

/// A client's session with the admin console: a server of PostgreSQL's protocol, simple and
/// extended, without tables. Pure: bytes and answers go in, bytes and statements to be answered
/// come out.
package struct AdminSession: Sendable {
    package enum Action: Equatable, Sendable {
        case send([UInt8])
        /// Answer this with ``answered(_:)``; nothing else happens before.
        case execute(AdminStatement)
        /// The client has said good-bye, or broken the protocol.
        case close
    }

    /// What the console says that it is, for drivers that look at it.
    package static let version = "PostgreSQL 15.0 (the admin console of Oxbow)"
    /// Prepared statements and portals of one session.
    private static let nameLimit = 256

    /// What a portal or a query goes on to do once a statement is answered.
    private enum Running: Sendable {
        case query(rest: ArraySlice<AdminStatement>)
        case portal

        var isQuery: Bool {
            if case .query = self { true } else { false }
        }
    }

    private var reader = FrameReader(.authentication)
    private var statements: [WireString: AdminStatement] = [:]
    private var portals: [WireString: AdminStatement] = [:]
    private var running: (AdminStatement, Running)?
    private var transaction = TransactionStatus.idle
    private var isSkipping = false
    private var isOver = false
    private var actions: [Action] = []
    private var writer = WireWriter()

    package init() {}

    /// Whether nothing is being answered.
    package var isIdle: Bool { running == nil }
    package var status: TransactionStatus { transaction }

    /// The parameters that a driver wants to know at the start.
    package static let parameters: [WireParameter] = [
        WireParameter("server_version", "15.0 (Oxbow)"),
        WireParameter("server_encoding", "UTF8"), WireParameter("client_encoding", "UTF8"),
        WireParameter("DateStyle", "ISO, MDY"), WireParameter("TimeZone", "UTC"),
        WireParameter("IntervalStyle", "postgres"), WireParameter("integer_datetimes", "on"),
        WireParameter("is_superuser", "off"), WireParameter("session_authorization", "oxbow"),
        WireParameter("standard_conforming_strings", "on"), WireParameter("application_name", ""),
    ]

    package mutating func receive(_ bytes: [UInt8]) { reader.append(bytes) }

    /// What to do next; nil where something must come in first.
    package mutating func next() -> Action? {
        do throws(WireError) {
            while actions.isEmpty, running == nil, !isOver, let frame = try reader.next() {
                try take(try FrontendMessage(frame))
            }
            flush()
        } catch { fail(error) }
        return actions.isEmpty ? nil : actions.removeFirst()
    }

    /// The answer to what was to be executed.
    package mutating func answered(_ answer: Result<AdminResult, Refusal>) {
        guard let (statement, running) = running else { return }
        self.running = nil
        do throws(WireError) {
            switch answer {
            case .success(let result):
                try yield(result, of: statement, describing: running.isQuery)
                if case .query(let rest) = running { try run(rest) }
            case .failure(let refusal):
                try refuse(refusal)
                if running.isQuery { try becomeReady() } else { isSkipping = true }
            }
        } catch { fail(error) }
    }

    private mutating func fail(_ error: WireError) {
        writer = WireWriter()
        actions.removeAll()
        if (try? say(.error(ServerReport(closingWith: error)))) != nil { flush() }
        end()
    }

    private mutating func end() {
        isOver = true
        flush()
        actions.append(.close)
    }

    private mutating func flush() {
        guard !writer.bytes.isEmpty else { return }
        actions.append(.send(writer.bytes))
        writer = WireWriter()
    }

    private mutating func say(_ message: BackendMessage) throws(WireError) {
        try message.encode(into: &writer)
    }

    private mutating func becomeReady() throws(WireError) { try say(.ready(transaction)) }

    private mutating func refuse(_ refusal: Refusal) throws(WireError) {
        if transaction == .open { transaction = .failed }
        try say(.error(refusal.report(.error)))
    }

    // MARK: Messages

    private mutating func take(_ message: FrontendMessage) throws(WireError) {
        switch message {
        case .terminate: return end()
        case .sync:
            isSkipping = false
            return try becomeReady()
        case .query(let text): return try query(text)
        default: break
        }
        guard !isSkipping else { return }
        do {
            try extended(message)
        } catch let refusal as Refusal {
            try refuse(refusal)
            isSkipping = true
        } catch let error as WireError { throw error } catch {}
    }

    private mutating func query(_ text: WireString) throws(WireError) {
        // It ends what was skipped, as it does with PostgreSQL.
        isSkipping = false
        do {
            try run(AdminStatement.parse(text.text)[...])
        } catch let refusal as Refusal {
            try refuse(refusal)
            try becomeReady()
        } catch let error as WireError { throw error } catch {}
    }

    /// Runs the statements of one query, up to one that must be answered elsewhere.
    private mutating func run(_ all: ArraySlice<AdminStatement>) throws(WireError) {
        var rest = all
        while let statement = rest.popFirst() {
            guard let result = local(statement) else {
                return execute(statement, .query(rest: rest))
            }
            try yield(result, of: statement, describing: true)
        }
        try becomeReady()
    }

    private mutating func execute(_ statement: AdminStatement, _ then: Running) {
        flush()
        running = (statement, then)
        actions.append(.execute(statement))
    }

    private mutating func extended(_ message: FrontendMessage) throws {
        switch message {
        case .parse(let parse):
            let all = try AdminStatement.parse(parse.query.text)
            guard all.count == 1 else {
                throw Refusal.syntax("cannot insert multiple commands into a prepared statement")
            }
            try Self.put(all[0], parse.statement, &statements)
            try say(.parseComplete)
        case .bind(let bind):
            guard let statement = statements[bind.statement] else {
                throw Refusal("26000", "prepared statement \"\(bind.statement)\" does not exist")
            }
            guard bind.parameters.isEmpty || statement == .courtesy(.noTypes) else {
                throw Refusal("0A000", "statements of the console take no parameters")
            }
            try Self.put(statement, bind.portal, &portals)
            try say(.bindComplete)
        case .describe(let subject): try describe(subject)
        case .execute(let portal, _): try execute(portal: portal)
        case .close(.statement(let name)):
            statements[name] = nil
            try say(.closeComplete)
        case .close(.portal(let name)):
            portals[name] = nil
            try say(.closeComplete)
        case .flush: flush()
        // What remains of copying is passed over, as by a server that does not copy.
        case .copyData, .copyDone, .copyFail: break
        default: throw Refusal("0A000", "the console does not take this kind of message")
        }
    }

    private static func put(
        _ statement: AdminStatement,
        _ name: WireString,
        _ table: inout [WireString: AdminStatement]
    ) throws(Refusal) {
        guard table.count < nameLimit || table[name] != nil else {
            throw Refusal("54000", "too many prepared statements")
        }
        table[name] = statement
    }

    private mutating func describe(_ subject: StatementOrPortal) throws {
        let statement: AdminStatement?
        switch subject {
        case .statement(let name):
            statement = statements[name]
            if statement != nil { try say(.parameterDescription([])) }
        case .portal(let name): statement = portals[name]
        }
        guard let statement else { throw Refusal("34000", "there is nothing of that name") }
        try say(statement.columns.map(Self.description) ?? .noData)
    }

    private mutating func execute(portal: WireString) throws {
        guard let statement = portals[portal] else {
            throw Refusal("34000", "portal \"\(portal)\" does not exist")
        }
        if let result = local(statement) {
            try yield(result, of: statement, describing: false)
        } else {
            execute(statement, .portal)
        }
    }

    // MARK: Answers

    /// What needs nobody else; nil for the rest.
    private mutating func local(_ statement: AdminStatement) -> AdminResult? {
        switch statement {
        case .show(.help): return AdminResult(rows: AdminStatement.help)
        case .courtesy(let courtesy): return answer(courtesy)
        default: return nil
        }
    }

    private mutating func answer(_ courtesy: AdminCourtesy) -> AdminResult {
        switch courtesy {
        case .begin: transaction = .open
        case .commit, .rollback(all: true): transaction = .idle
        case .rollback(all: false): if transaction == .failed { transaction = .open }
        case .select(let value, _): return AdminResult(rows: [[value]])
        case .show(let setting):
            return AdminResult(rows: [[AdminSettings.shown[setting.lowercased()]]])
        case .empty, .setting, .noTypes: break
        }
        return AdminResult()
    }

    /// All columns are texts, whose binary form is their bytes: so any format that is asked for is
    /// right.
    private static func description(_ columns: [String]) -> BackendMessage {
        let textType: UInt32 = 25
        return .rowDescription(columns.map { RowField(name: WireString($0), type: textType) })
    }

    private mutating func yield(
        _ result: AdminResult,
        of statement: AdminStatement,
        describing: Bool
    ) throws(WireError) {
        for notice in result.notices { try say(.notice(notice)) }
        if statement == .courtesy(.empty) { return try say(.emptyQuery) }
        if let columns = statement.columns {
            if describing { try say(Self.description(columns)) }
            for row in result.rows {
                invariant(row.count == columns.count, "\(row.count) of \(columns.count) columns")
                try say(.dataRow(row.map { $0.map { Array($0.utf8) } }))
            }
        }
        try say(.commandComplete(WireString(statement.tag(rowCount: result.rows.count))))
    }
}
