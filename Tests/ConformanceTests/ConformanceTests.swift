import Foundation
import ServerFixture
import Testing

/// The clients that people have, each on a branch of its own of one server.
@Suite(
    .enabled(
        if: RunningServer.isPossible,
        "root, FUSE or PostgreSQL 15 is missing: no client was tested"
    )
)
struct ConformanceTests {
    /// One for all of them; its processes and files are gone when the tests are.
    // Safe to share: nothing of it changes once it is started.
    nonisolated(unsafe) private static let server: Result<RunningServer, any Error> = Result {
        let server = try RunningServer.new()
        atexit { try? ConformanceTests.server.get().end() }
        return server
    }

    @Test(arguments: Client.all)
    func `a client does on a branch what it does on a server`(client: Client) throws {
        try Self.expectInstalled(client)
        let server = try Self.server.get()
        try server.sql("oxbow", "CREATE BRANCH \(client.name) FROM main TTL '1h'")
        let (said, status) = try client.run(server)
        #expect(status == 0, "\(said)")
        let expected = try client.expected.trimmingCharacters(in: .newlines)
        #expect(said == expected, "\(said)")
        try server.sql("oxbow", "SUSPEND \(client.name)")
    }

    private static func expectInstalled(_ client: Client) throws {
        guard client.isInstalled else {
            try Test.cancel(
                "\(client.name) was not tested: install \(client.packages), as scripts/test does"
            )
        }
    }

    @Test func `every program has its lines, and every file a use`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Client.folder)
        let used = Client.all.flatMap { client in
            [client.name + ".ok", URL(filePath: client.command.last ?? "").lastPathComponent]
        }
        #expect(Set(files) == Set(used + ["check.py", "check.sh"]))
    }
}
