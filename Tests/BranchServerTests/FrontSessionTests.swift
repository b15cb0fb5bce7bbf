import BranchServer
import Foundation
import PostgresWire
import Primitives
import Testing

@Suite(
    .serialized,
    .enabled(if: FrontPostgres.isInstalled, "PostgreSQL 15 is not installed")
)
struct FrontSessionTests {
    @Test(arguments: ["sslmode=disable", "sslmode=require"])
    func `rows are copied in and out as they are`(mode: String) throws {
        let fixture = try FrontFixture()
        let rows = (0..<100_000).map { "\($0)\tsome text for row \($0)\n" }.joined()
        let copied = FrontPostgres.psql(
            [
                fixture.tcp(mode), "-qc", "create temp table t (a int, b text)", "-c",
                "copy t from stdin", "-c", "copy t to stdout",
            ],
            input: rows
        )
        #expect(copied.status == 0)
        let isSame = copied.said == rows
        #expect(isSame, "\(copied.said.utf8.count) of \(rows.utf8.count) bytes")
    }

    @Test(arguments: ["sslmode=disable", "sslmode=require"])
    func `a row of 50 MB passes`(mode: String) throws {
        let fixture = try FrontFixture()
        let result = FrontPostgres.psql([fixture.tcp(mode), "-c", "select repeat('x', 50000000)"])
        #expect(result.said.utf8.count == 50_000_001)
    }

    @Test func `requests in a row are answered in a row`() throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture)
        let count = 20_000
        let descriptor = client.descriptor
        // More than all buffers between hold, so both sides must wait for each other.
        Thread.detachNewThread {
            var writer = WireWriter()
            for number in 0..<count {
                let parse = Parse(statement: "", query: WireString("select \(number)"))
                try? FrontendMessage.parse(parse).encode(into: &writer)
                try? FrontendMessage.bind(Bind(portal: "", statement: "")).encode(into: &writer)
                try? FrontendMessage.execute(portal: "", maximumRows: 0).encode(into: &writer)
                try? FrontendMessage.sync.encode(into: &writer)
            }
            var sent = 0
            let bytes = writer.bytes
            while sent < bytes.count {
                let taken = bytes.withUnsafeBytes {
                    write(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent)
                }
                if taken <= 0 { return }
                sent += taken
            }
        }
        for number in 0..<count {
            #expect(try client.untilReady().rows == [["\(number)"]])
        }
    }

    @Test func `a client that reads slowly gets everything`() throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture)
        try client.send(
            .query("select repeat('y', 1000) from generate_series(1, 20000)")
        )
        var rows = 0
        while let message = try client.next(reading: 1_500) {
            if case .dataRow = message { rows += 1 }
            if case .ready = message { break }
        }
        #expect(rows == 20_000)
    }

    @Test func `what is notified arrives`() throws {
        let fixture = try FrontFixture()
        let listener = try FrontClient(fixture)
        _ = try listener.query("listen birds")
        _ = try FrontClient(fixture).query("notify birds, 'heron'")
        guard case .notification(let heard)? = try listener.next() else {
            Issue.record("no notification")
            return
        }
        #expect(heard.channel == "birds")
        #expect(heard.payload == "heron")
    }

    @Test func `a client that has finished sending gets its answer`() throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture)
        try client.send(.query("select pg_sleep(0.2), 7"))
        client.finishSending()
        #expect(try client.untilReady().rows == [["", "7"]])
        #expect(client.endsInSilence())
    }

    @Test(arguments: [ProtocolVersion.v3, .newest])
    func `a key cancels its own session alone`(version: ProtocolVersion) throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture, version: version)
        let other = try FrontClient(fixture)
        #expect(client.key.secret.count == (version == .v3 ? 4 : 32))
        try client.send(.query("select pg_sleep(60)"))
        try other.send(.query("select pg_sleep(3), 1"))
        // A key that comes before the query cancels nothing.
        let watcher = try FrontClient(fixture)
        let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
        while try watcher.query(sleeping) != [["2"]] { usleep(1_000) }
        try cancel(fixture, client.key)
        #expect(try client.untilReady().states == ["57014"])
        #expect(try other.untilReady().rows == [["", "1"]])
    }

    @Test func `a guessed key cancels nothing, and a compute's own neither`() throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture)
        let process = try #require(try client.query("select pg_backend_pid()").first?.first ?? nil)
        try client.send(.query("select pg_sleep(1), 5"))
        var random = SeededRandom(seed: 5)
        for turn in 0..<300 {
            let pid = turn % 2 == 0 ? UInt32(process) ?? 0 : client.key.processID
            let secret = withUnsafeBytes(of: random.next()) { Array($0.prefix(4)) }
            try cancel(fixture, CancelKey(processID: pid, secret: secret))
        }
        #expect(try client.untilReady().rows == [["", "5"]])
    }

    private func cancel(_ fixture: FrontFixture, _ key: CancelKey) throws {
        let client = try FrontClient(port: fixture.port)
        var writer = WireWriter()
        try StartupPacket.cancel(key).encode(into: &writer)
        try client.send(writer.bytes)
        #expect(client.endsInSilence())
    }

    @Test func `two hundred come at once`() throws {
        let fixture = try FrontFixture()
        let lock = Lock()
        // Safe: under the lock.
        nonisolated(unsafe) var answers: [String] = []
        // Safe: used by threads that end before it does.
        nonisolated(unsafe) let shared = fixture
        let threads = (0..<200).map { number in
            WorkerThread {
                let client = try? FrontClient(shared)
                let rows = try? client?.query("select \(number)")
                lock.withLock { answers.append(rows?.first?.first.flatMap { $0 } ?? "failed") }
            }
        }
        for thread in threads { thread.join() }
        #expect(Set(answers) == Set((0..<200).map { "\($0)" }))
    }

    @Test func `what breaks the protocol ends the session with PostgreSQL's words`() throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture)
        try client.send([0x7A, 0, 0, 0, 4])
        #expect(try client.untilReady().states == ["08P01"])
        #expect(client.endsInSilence())
    }

    @Test func `sessions are counted by what they do`() throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture)
        #expect(fixture.front.sessions().map(\.state) == [.idle])
        _ = try client.query("begin")
        #expect(fixture.front.sessions().map(\.state) == [.idleInTransaction])
        _ = try client.query("select 1/0")
        #expect(fixture.front.sessions().map(\.state) == [.idleInFailedTransaction])
        try client.send(.query("rollback; select pg_sleep(0.5)"))
        while fixture.front.sessions().first?.state != .active { usleep(1_000) }
        _ = try client.untilReady()
        #expect(fixture.front.sessions().map(\.branch) == ["main"])
        try client.send(.terminate)
        while fixture.front.counts.connections > 0 { usleep(1_000) }
    }

    @Test func `the sessions of one branch are ended, and told so`() throws {
        let fixture = try FrontFixture()
        let main = try FrontClient(fixture)
        let branch = try FrontClient(fixture, database: "app@pr-1432")
        // Another branch that had its name before.
        fixture.front.endSessions(ofKey: "pr-1432")
        #expect(try branch.query("select 1") == [["1"]])
        fixture.front.endSessions(ofKey: "key of pr-1432")
        #expect(try branch.untilReady().states == ["57P01"])
        #expect(branch.endsInSilence())
        #expect(try main.query("select 1") == [["1"]])
    }

    @Test(arguments: ["copy (%) to stdout", "%"])
    func `who is in the middle of a long answer is told, too`(question: String) throws {
        let fixture = try FrontFixture()
        let client = try FrontClient(fixture)
        let rows = "select repeat('x', 100000) from generate_series(1, 2000)"
        try client.send(.query(WireString(question.replacing("%", with: rows))))
        while fixture.front.sessions().first?.state != .active { usleep(1_000) }
        // Some of it is on its way, and the rest waits: in the middle of a row.
        usleep(200_000)
        let front = fixture.front
        let ending = Thread { front.endSessions(ofKey: "key of main") }
        ending.start()
        #expect(try client.untilReady().states == ["57P01"])
        #expect(client.endsInSilence())
    }

    @Test func `stopping lets a query finish, and tells the others`() throws {
        let fixture = try FrontFixture()
        let idle = try FrontClient(fixture)
        let busy = try FrontClient(fixture)
        let open = try FrontClient(fixture)
        _ = try open.query("begin")
        try busy.send(.query("select pg_sleep(0.5), 3"))
        while !fixture.front.sessions().contains(where: { $0.state == .active }) { usleep(1_000) }
        fixture.stop(graceMilliseconds: 3_000)
        #expect(try idle.untilReady().states == ["57P01"])
        let said = try busy.untilReady()
        #expect(said.rows == [["", "3"]])
        #expect(try busy.untilReady().states == ["57P01"])
        #expect(try open.untilReady().states == ["57P01"])
        #expect(throws: (any Error).self) { try FrontClient(fixture) }
    }
}
