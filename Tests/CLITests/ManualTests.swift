import Foundation
import Testing

@Suite struct ManualTests {
    static let page = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/cli.md")

    @Test func `the manual says what the command says of itself`() throws {
        if ProcessInfo.processInfo.environment["UPDATE"] == "1" {
            try Manual.text.write(to: Self.page, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: Self.page, encoding: .utf8)
        #expect(
            written == Manual.text,
            "docs/cli.md is not up to date: UPDATE=1 swift test --filter ManualTests"
        )
    }
}
