import Foundation
import Oxbow
import Testing

/// Stores that earlier versions made, kept in the repository: every format that was released stays
/// readable. `expected.txt` beside each says what it shows.
///
/// `OXBOW_MAKE_GOLDEN=version-2 swift test --filter GoldenTests` adds the stores of a new format.
@Suite struct GoldenTests {
    static let folder = Witness.root.appending(path: "Tests/FormatTests/Golden").path

    static let stores: [String] = {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix("/superblock") }
            .map { String($0.dropLast("/superblock".count)) }.sorted()
    }()

    private static func expected(_ store: String) throws -> [String] {
        try String(contentsOfFile: "\(folder)/\(store)/expected.txt", encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    @Test func `there are stores to read`() {
        #expect(Self.stores.contains("version-1/closed"))
        #expect(Self.stores.contains("version-1/crashed"))
        #expect(Self.stores.contains("version-2/closed"))
    }

    @Test(arguments: stores)
    func `a store of an earlier version shows what it showed`(name: String) throws {
        let expected = try Self.expected(name)
        try withFolder(copyOf: "\(Self.folder)/\(name)") { folder in
            try Self.read(folder, expected)
        }
    }

    private static func read(_ folder: String, _ expected: [String]) throws {
        var options = StoreOptions()
        options.upkeep = .manual
        let bytes = Story.bytes(1, 512)
        do {
            let store = try Store.open(folder, options)
            #expect(try Listing.of(store) == expected)
            #expect(try store.check().problems == [])
            // It can be written to, and goes on.
            try store.branch("main").commit { edit in
                try edit.write(bytes, page: 0, of: ObjectID(4))
            }
            try store.checkpoint()
        }
        let store = try Store.open(folder, options)
        #expect(try store.branch("main").read(page: 0, of: ObjectID(4)) == bytes)
        #expect(try Listing.of(store) == expected)
    }

    @Test(.enabled(if: Witness.isAvailable, Witness.whyNot), arguments: stores)
    func `the witness reads it too`(name: String) throws {
        let path = "\(Self.folder)/\(name)"
        var lines: [String] = []
        let branches = try Witness.ask("branches", path).lines
        for name in branches.compactMap({ $0.split(separator: " ").first }).sorted() {
            lines += ["branch \(name)"] + (try Witness.ask("pages", path, String(name)).lines)
        }
        #expect(try lines == Self.expected(name))
        #expect(try Witness.ask("verify", path).status == 0)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["OXBOW_MAKE_GOLDEN"] != nil))
    func `make the stores`() throws {
        let version = try #require(ProcessInfo.processInfo.environment["OXBOW_MAKE_GOLDEN"])
        let options = Story.options(pageSize: 512, segmentBits: 16)
        try withFolder { folder in
            // With segments that were rewritten into one file, and history after them.
            var story = try Story(folder, options, seed: 3)
            try story.run(rounds: 160)
            #expect(try story.forget().rewrittenSegments > 1)
            try story.run(rounds: 6)
            let expected = try Listing.of(story.store)
            try story.store.close()
            _ = try Self.keep(folder, version + "/closed", expected)
        }
        try withFolder { folder in
            // The log goes on past the last checkpoint, and ends in a record that is not whole.
            var story = try Story(folder, options, seed: 2)
            try story.run(rounds: 12)
            try story.store.checkpoint()
            for _ in 0..<5 { try story.commit(on: "main", writes: 8) }
            try story.store.sync()
            let expected = try Listing.of(story.store)
            try Self.tear(try Self.keep(folder, version + "/crashed", expected))
        }
    }

    private static func keep(
        _ source: String,
        _ name: String,
        _ expected: [String]
    ) throws -> String {
        let target = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        try copyFiles(from: source, to: target)
        let text = expected.joined(separator: "\n") + "\n"
        try text.write(toFile: target + "/expected.txt", atomically: true, encoding: .utf8)
        return target
    }

    /// Puts half a record behind the last one.
    private static func tear(_ folder: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let last = try #require(names.filter { $0.hasSuffix(".segment") }.max())
        let url = URL(filePath: folder + "/" + last)
        var bytes = try Data(contentsOf: url)
        let end = try #require(bytes.lastIndex { $0 != 0 })
        let place = (end + 8) / 8 * 8
        let torn = bytes[4096..<4096 + 40]
        bytes.replaceSubrange(place..<place + torn.count, with: torn)
        try bytes.write(to: url)
    }
}
