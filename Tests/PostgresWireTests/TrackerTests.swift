import PostgresWire
import Primitives
import TestSupport
import Testing

@Suite struct TrackerTests {
    private static func parse(_ query: String) -> FrontendMessage {
        .parse(Parse(statement: "", query: WireString(query)))
    }
    private static let bind = FrontendMessage.bind(Bind(portal: "", statement: ""))
    private static let execute = FrontendMessage.execute(portal: "", maximumRows: 0)
    private static let failure = BackendMessage.error(
        ServerReport(.error, state: "22012", "division by zero")
    )
    private static let copyIn = BackendMessage.copyInResponse(
        CopyFormat(isBinary: false, columnFormats: [0])
    )

    /// The bytes of a session after its first ReadyForQuery, in the order of the recording.
    private func session(_ connection: Recording) throws -> [(Recording.Side, [UInt8])] {
        var client = connection.all(.frontend)
        let startup = Int(client[2]) * 256 + Int(client[3])
        var startupLeft = startup
        var isReady = false
        var login: [UInt8] = []
        var steps: [(Recording.Side, [UInt8])] = []
        client = []
        for (side, bytes) in connection.steps {
            if side == .frontend {
                let cut = min(startupLeft, bytes.count)
                startupLeft -= cut
                if cut < bytes.count { steps.append((side, Array(bytes[cut...]))) }
            } else if isReady {
                steps.append((side, bytes))
            } else {
                login += bytes
                isReady = try frames(login, .backend).contains { $0.type == 0x5A }
            }
        }
        return steps
    }

    @Test(arguments: Recording.names, [1_000_000, 7, 1])
    func `a recorded session is followed, in pieces of any size`(name: String, size: Int) throws {
        for connection in try Recording.connections(name) {
            var tracker = SessionTracker()
            #expect(tracker.isIdle)
            for (side, bytes) in try session(connection) {
                for piece in bytes.pieces(of: size) {
                    switch side {
                    case .frontend: try tracker.client(piece)
                    case .backend: try tracker.server(piece)
                    }
                }
            }
            #expect(tracker.isIdle, "\(tracker)")
            #expect(tracker.isTerminated)
            #expect(tracker.transaction == .idle)
        }
    }

    @Test func `it is idle when all is answered, and not before`() throws {
        var tracker = SessionTracker()
        try tracker.client(.query("select 1"))
        #expect(!tracker.isIdle)
        try tracker.server(.rowDescription([]), .dataRow([]), .commandComplete("SELECT 1"))
        #expect(!tracker.isIdle)
        try tracker.server(.ready(.open))
        #expect(tracker.isIdle && tracker.transaction == .open && tracker.readyCount == 1)
        try tracker.client(Self.parse("x"), .flush)
        #expect(!tracker.isIdle)
        try tracker.server(.parseComplete)
        #expect(!tracker.isIdle, "the Sync is missing")
        try tracker.client(.sync)
        #expect(!tracker.isIdle)
        try tracker.server(.ready(.idle))
        #expect(tracker.isIdle)
    }

    @Test func `half a message on either side is not idle`() throws {
        let query = try [UInt8](.query("select 1"))
        for count in 1..<query.count {
            var tracker = SessionTracker()
            try tracker.client(Array(query[..<count]))
            #expect(!tracker.isIdle)
            #expect(!tracker.isAtFrontendBoundary)
        }
        var tracker = SessionTracker()
        try tracker.client(.query("select 1"))
        try tracker.server([0x5A, 0, 0, 0, 5])
        #expect(!tracker.isIdle && !tracker.isAtBackendBoundary)
        try tracker.server([0x49])
        #expect(tracker.isIdle && tracker.isAtBackendBoundary)
    }

    @Test func `after an error everything up to the next Sync is passed over`() throws {
        var tracker = SessionTracker()
        try tracker.client(Self.parse("bad"), Self.bind, Self.execute, .query("skipped"))
        try tracker.client(Self.parse("also skipped"))
        try tracker.server(Self.failure)
        try tracker.client(Self.execute, .query("skipped too"))
        #expect(!tracker.isIdle)
        try tracker.client(.sync, Self.parse("good"), .sync)
        try tracker.server(.ready(.idle), .parseComplete, .ready(.idle))
        #expect(tracker.isIdle)
    }

    @Test func `a Sync of its own may fail`() throws {
        var tracker = SessionTracker()
        try tracker.client(Self.parse("x"), Self.bind, Self.execute, .sync)
        try tracker.server(.parseComplete, .bindComplete, .commandComplete("INSERT 0 1"))
        try tracker.server(Self.failure, .ready(.idle))
        #expect(tracker.isIdle)
    }

    @Test func `Syncs within rows that are copied in are passed over`() throws {
        var tracker = SessionTracker()
        try tracker.client(Self.parse("copy"), Self.bind, Self.execute, .sync)
        try tracker.server(.parseComplete, .bindComplete, Self.copyIn)
        #expect(tracker.copying == .into)
        try tracker.client(.copyData([1]), .sync, .flush, .copyData([2]), .copyDone, .sync)
        #expect(tracker.copying == .intoEnding)
        try tracker.server(.commandComplete("COPY 2"), .ready(.idle))
        #expect(tracker.isIdle)
    }

    /// Whether the server saw a Sync before or after it failed, nobody else can know: the session
    /// does not count as idle before something shows it.
    @Test func `a Sync of which nobody knows whether it counts is waited for`() throws {
        for answers in [1, 2] {
            var tracker = SessionTracker()
            try tracker.client(Self.parse("copy"), Self.bind, Self.execute, .sync)
            try tracker.server(.parseComplete, .bindComplete, Self.copyIn)
            try tracker.client(.copyData([1]), .copyDone, .sync)
            try tracker.server(Self.failure)
            for _ in 0..<answers { try tracker.server(.ready(.idle)) }
            #expect(tracker.isIdle == (answers == 2))
            try tracker.client(.query("select 1"))
            try tracker.server(.rowDescription([]), .commandComplete("SELECT 0"))
            #expect(!tracker.isIdle)
            try tracker.server(.ready(.idle))
            #expect(tracker.isIdle)
        }
    }

    /// PostgreSQL ends the session for another request among the rows; but where the copying fails
    /// before it reads a row, the request counts, or is skipped.
    @Test func `a request right behind a COPY that fails at once is followed`() throws {
        for isAhead in [false, true] {
            var simple = SessionTracker()
            if isAhead {
                try simple.client(.query("copy"), .query("next"))
                try simple.server(Self.copyIn)
            } else {
                try simple.client(.query("copy"))
                try simple.server(Self.copyIn)
                try simple.client(.query("next"))
            }
            try simple.server(Self.failure, .ready(.idle))
            #expect(!simple.isIdle)
            try simple.server(.commandComplete("next"), .ready(.idle))
            #expect(simple.isIdle)
            var extended = SessionTracker()
            try extended.client(Self.parse("copy"), Self.bind, Self.execute)
            try extended.server(.parseComplete, .bindComplete)
            if isAhead {
                try extended.client(Self.bind, Self.execute)
                try extended.server(Self.copyIn)
            } else {
                try extended.server(Self.copyIn)
                try extended.client(Self.bind, Self.execute)
            }
            try extended.server(Self.failure)
            try extended.client(.sync)
            try extended.server(.ready(.idle))
            #expect(extended.isIdle)
        }
    }

    @Test func `where two courses of events fit, the session goes on and is never idle`() throws {
        var tracker = SessionTracker()
        try tracker.client(Self.parse("copy"), Self.bind, Self.execute, .sync, .copyData([1]))
        try tracker.client(.copyDone, Self.parse("next"), .sync)
        try tracker.server(.parseComplete, .bindComplete, Self.copyIn, Self.failure)
        #expect(tracker.isLost && !tracker.isIdle)
        try tracker.server(.ready(.idle), .parseComplete, .ready(.idle))
        try tracker.client(.query("select 1"))
        try tracker.server(.commandComplete("SELECT 1"), .ready(.open))
        #expect(!tracker.isIdle && tracker.transaction == .open)
        try tracker.client(.terminate)
        #expect(tracker.isTerminated)
    }

    @Test func `rows may flow both ways, for a walsender`() throws {
        var tracker = SessionTracker()
        try tracker.client(.query("START_REPLICATION 0/0"))
        try tracker.server(.copyBothResponse(CopyFormat(isBinary: false, columnFormats: [])))
        #expect(tracker.copying == .both)
        try tracker.server(.copyData([1]))
        try tracker.client(.copyData([2]), .copyDone)
        try tracker.server(.copyData([3]), .copyDone, .commandComplete("COPY 0"), .ready(.idle))
        #expect(tracker.isIdle)
    }

    @Test func `an answer that nobody asked for is refused`() throws {
        let answers: [BackendMessage] = [
            .ready(.idle), .dataRow([]), .parseComplete, .commandComplete("x"), Self.copyIn,
            .copyData([1]), .copyDone, .authentication(.ok), .functionCallResponse(nil),
            .backendKeyData(CancelKey(processID: 1, secret: [1, 2, 3, 4])), .noData,
        ]
        for answer in answers {
            var tracker = SessionTracker()
            #expect(throws: WireError.self) { try tracker.server(answer) }
            var busy = SessionTracker()
            try busy.client(.describe(.portal("")), .sync)
            if answer != .noData {
                #expect(throws: WireError.self) { try busy.server(answer) }
            }
        }
    }

    @Test func `what a server says unasked changes nothing`() throws {
        var tracker = SessionTracker()
        try tracker.server(
            .notice(ServerReport(.notice, state: "00000", "hello")),
            .parameterStatus(WireParameter("TimeZone", "UTC")),
            .notification(Notification(processID: 1, channel: "c", payload: "")),
            .error(ServerReport(.fatal, state: "57P01", "terminating connection"))
        )
        #expect(tracker.isIdle)
    }

    @Test func `a Flush, a Sync or a Terminate with a body is refused`() throws {
        for type in "HSX".utf8 {
            var tracker = SessionTracker()
            #expect(throws: WireError(.protocolViolation, "invalid message format")) {
                try tracker.client([type, 0, 0, 0, 5, 0])
            }
        }
    }

    @Test func `nothing after a good-bye is passed on`() throws {
        var tracker = SessionTracker()
        let bytes = try [UInt8](.query("a")) + [UInt8](.terminate)
        let more = bytes + (try [UInt8](.query("late")))
        #expect(try tracker.frontend(more.span.bytes) == bytes.count)
        #expect(tracker.isTerminated)
        #expect(try tracker.frontend(more.span.bytes) == 0)
    }

    @Test func `function calls are refused where they are not wanted`() throws {
        let call = FrontendMessage.functionCall(FunctionCall(function: 2_626))
        var open = SessionTracker()
        try open.client(call)
        try open.server(.functionCallResponse(nil), .ready(.idle))
        #expect(open.isIdle)
        var guarded = SessionTracker(policy: .init(allowsFunctionCalls: false))
        #expect(throws: WireError.self) { try guarded.client(call) }
    }

    @Test func `a client that only asks saturates, and its requests stay countable`() throws {
        var tracker = SessionTracker()
        let sync = try [UInt8](.sync)
        let many = Array((0..<1_000).map { _ in sync }.joined())
        var rounds = 0
        while !tracker.isSaturated {
            try tracker.client(many)
            rounds += 1
        }
        #expect(rounds == 17)
        for _ in 0..<rounds * 1_000 { try tracker.server(.ready(.idle)) }
        #expect(tracker.isIdle && !tracker.isSaturated)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `bytes of any kind are followed or refused`(number: UInt64) throws {
        var random = SeededRandom(test: 10_000 + number)
        for _ in 0..<200 {
            var tracker = SessionTracker()
            do {
                for _ in 0..<30 {
                    if random.oneIn(2) {
                        let type = FrontendType.allCases[random.below(14)]
                        try tracker.client([UInt8](random.frontendMessage(type)))
                    } else {
                        let type = BackendType.allCases[random.below(24)]
                        try tracker.server([UInt8](random.backendMessage(type)))
                    }
                }
            } catch is WireError {}
        }
    }
}
