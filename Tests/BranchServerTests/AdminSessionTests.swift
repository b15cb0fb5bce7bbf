import BranchServer
import PostgresWire
import Testing

@Suite struct AdminSessionTests {
    /// Says something to a console, answers what it asks for, and returns what it says.
    private func say(
        _ messages: FrontendMessage...,
        to session: inout AdminSession,
        answer: Result<AdminResult, Refusal> = .success(AdminResult())
    ) throws -> [BackendMessage] {
        var writer = WireWriter()
        for message in messages { try message.encode(into: &writer) }
        // In pieces, as a network gives them.
        for byte in writer.bytes { session.receive([byte]) }
        var reader = FrameReader(.backend)
        var said: [BackendMessage] = []
        while let action = session.next() {
            switch action {
            case .send(let bytes): reader.append(bytes)
            case .execute: session.answered(answer)
            case .close: break
            }
        }
        while let frame = try reader.next() { said.append(try BackendMessage(frame)) }
        return said
    }

    @Test func `a simple query is answered with rows`() throws {
        var session = AdminSession()
        let said = try say(
            .query("show sizes"),
            to: &session,
            answer: .success(AdminResult(rows: [["main", "10", nil]]))
        )
        #expect(said.count == 4)
        #expect(said.rows == [["main", "10", nil]])
        #expect(said[2] == .commandComplete("SHOW"))
        #expect(said[3] == .ready(.idle))
    }

    @Test func `an extended query is described and executed`() throws {
        var session = AdminSession()
        let said = try say(
            .parse(Parse(statement: "s", query: "select 'x'")),
            .describe(.statement("s")),
            .bind(Bind(portal: "", statement: "s", resultFormats: [1])),
            .describe(.portal("")),
            .execute(portal: "", maximumRows: 0),
            .sync,
            to: &session
        )
        #expect(
            said.map(\.type) == [
                .parseComplete, .parameterDescription, .rowDescription, .bindComplete,
                .rowDescription, .dataRow, .commandComplete, .ready,
            ]
        )
        #expect(said.rows == [["x"]])
    }

    @Test func `after an error everything up to the next Sync is passed over`() throws {
        var session = AdminSession()
        let said = try say(
            .parse(Parse(statement: "", query: "nonsense")),
            .bind(Bind(portal: "", statement: "")),
            .execute(portal: "", maximumRows: 0),
            .sync,
            .query("select 1"),
            to: &session
        )
        #expect(said.states == ["42601"])
        #expect(said.map(\.type).first == .error)
        #expect(said.rows == [["1"]])
    }

    @Test func `a refusal keeps the session, and fails what was begun`() throws {
        var session = AdminSession()
        #expect(try say(.query("begin"), to: &session).last == .ready(.open))
        let said = try say(
            .query("drop branch x; drop branch y"),
            to: &session,
            answer: .failure(Refusal("3D000", "no", hint: "look"))
        )
        #expect(said.states == ["3D000"])
        #expect(said.last == .ready(.failed))
        #expect(try say(.query("rollback"), to: &session).last == .ready(.idle))
    }

    @Test func `a savepoint takes an error back`() throws {
        var session = AdminSession()
        _ = try say(.query("begin; savepoint a"), to: &session)
        #expect(try say(.query("nonsense"), to: &session).last == .ready(.failed))
        #expect(try say(.query("rollback to a"), to: &session).last == .ready(.open))
        #expect(try say(.query("rollback"), to: &session).last == .ready(.idle))
    }

    @Test(arguments: [
        ("transaction isolation level", "read committed"), ("standard_conforming_strings", "on"),
        ("transaction_read_only", "off"),
    ])
    func `a setting that drivers ask for has a value`(name: String, value: String) throws {
        var session = AdminSession()
        #expect(try say(.query(WireString("show \(name)")), to: &session).rows == [[value]])
    }

    @Test func `nothing at all is an empty query`() throws {
        var session = AdminSession()
        #expect(try say(.query(""), to: &session) == [.emptyQuery, .ready(.idle)])
    }

    @Test func `a message that is too long ends the session`() throws {
        var session = AdminSession()
        let said = try say(
            .query(WireString([UInt8](repeating: 0x20, count: 20_000))),
            to: &session
        )
        #expect(said.states == ["08P01"])
    }
}
