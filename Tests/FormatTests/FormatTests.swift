import Foundation
import Oxbow
import Primitives
import TestSupport
import Testing

/// Holds the engine against a reader that was written from docs/format.md alone.
@Suite struct FormatTests {
    @Test func `where the tests of a change run, the witness is there`() {
        guard ProcessInfo.processInfo.environment["CI"] != nil else { return }
        #expect(Witness.isAvailable, Witness.whyNot)
    }

    /// Asks the witness for every branch, and compares.
    static func compare(
        _ folder: String,
        _ shown: [String: Pages],
        pageSize: Int
    ) throws {
        let branches = try Witness.ask("branches", folder)
        #expect(branches.status == 0, "\(branches.text)")
        let names = branches.lines.compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(names.sorted() == shown.keys.sorted())
        for (name, pages) in shown.sorted(by: { $0.key < $1.key }) {
            let answer = try Witness.ask("pages", folder, name)
            #expect(answer.status == 0, "\(name): \(answer.text)")
            #expect(answer.lines == Listing.of(pages, pageSize: pageSize), "branch \(name)")
        }
        let sound = try Witness.ask("verify", folder)
        #expect(sound.status == 0, "\(sound.text)")
    }

    @Test(
        .enabled(if: Witness.isAvailable, Witness.whyNot),
        arguments: [(512, 16), (1024, 18), (8192, 20)]
    )
    func `the witness reads what the engine wrote`(pageSize: Int, segmentBits: Int) throws {
        try withFolder { folder in
            let options = Story.options(pageSize: pageSize, segmentBits: segmentBits)
            var story = try Story(folder, options, seed: testSeed &+ UInt64(pageSize))
            try story.run(rounds: 150)
            for name in story.shown.keys {
                let shown = Listing.of(story.shown[name] ?? [:], pageSize: pageSize)
                #expect(try Listing.of(story.store.branch(name)) == shown, "branch \(name)")
            }
            try story.store.sync()
            // As a crash would leave it: the log goes on past the last checkpoint.
            try withFolder(copyOf: folder) { crashed in
                try Self.compare(crashed, story.shown, pageSize: pageSize)
            }
            try story.store.close()
            try Self.compare(folder, story.shown, pageSize: pageSize)
        }
    }

    @Test(.enabled(if: Witness.isAvailable, Witness.whyNot))
    func `the witness reads segments that were rewritten`() throws {
        try withFolder { folder in
            let options = Story.options(pageSize: 512, segmentBits: 16)
            var story = try Story(folder, options, seed: testSeed &+ 7)
            try story.run(rounds: 200)
            #expect(try story.forget().rewrittenSegments > 0)
            try story.run(rounds: 40)
            try story.store.close()
            try Self.compare(folder, story.shown, pageSize: 512)
        }
    }

    @Test(.enabled(if: Witness.isAvailable, Witness.whyNot))
    func `a byte that changes is damage to the witness too`() throws {
        try withFolder { folder in
            let options = Story.options(pageSize: 512, segmentBits: 16)
            var story = try Story(folder, options, seed: testSeed &+ 8)
            try story.commit(on: "main", writes: 12)
            try story.store.close()
            let segment = URL(filePath: folder + "/0000000000000000.segment")
            var bytes = try Data(contentsOf: segment)
            // In the first node of the checkpoint that the close made: what is replayed.
            var node: UInt64?
            try LogDump(folder).walk(from: .zero) { item in
                if case .record(let record) = item, record.kind == "blocks" {
                    node = node ?? record.lsn.rawValue
                }
                return true
            }
            bytes[Int(try #require(node)) + 64 + 56 + 10] ^= 1
            try bytes.write(to: segment)
            let answer = try Witness.ask("branches", folder)
            #expect(answer.status != 0)
            #expect(answer.text.contains("damaged"))
            #expect(throws: OxbowError.self) { try Store.open(folder, options) }
        }
    }
}
