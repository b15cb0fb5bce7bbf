import Foundation
import Glibc
import ServerFixture
import Testing

/// A few rounds of each part of `scripts/endurance` that is short.
@Suite(
    .serialized,
    .enabled(
        if: RunningServer.isPossible && hasPsycopg,
        "root, FUSE, PostgreSQL 15 or python3-psycopg is missing: nothing was killed"
    )
)
struct EnduranceTests {
    @Test(arguments: [
        ["kill-server", "3"], ["kill-compute", "3"], ["full-disk", "1"],
    ])
    func `nothing that was acknowledged is lost`(part: [String]) throws {
        let program = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Endurance/run.py").path
        let words = ["/usr/bin/python3", "-B", program] + part + [Self.oxbow]
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
        #expect(said.hasSuffix("ok\n"), "\(said)")
    }

    private static var oxbow: String {
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        let folder =
            bundle.map { URL(filePath: $0).deletingLastPathComponent() }
            ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return folder.appending(path: "oxbow").path
    }
}

private let hasPsycopg = access("/usr/lib/python3/dist-packages/psycopg", R_OK) == 0
