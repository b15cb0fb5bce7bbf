import Foundation

/// What the experiment was asked for.
package struct ExperimentArguments: Sendable, Equatable {
    package var scale = Scale.full
    package var only: [String] = []
    package var folder = FileManager.default.temporaryDirectory.path
    package var dump: String?
    package var table = "final_entities"
    package var figure: String?
    package var baseline: String?
    package var isJSON = false
    package var isList = false
    package var isPeersOnly = false
    package var seed: UInt64 = 20_260_408
    package var runs: Int?
    package var seconds: Int?
    package var largestMegabytes = 8192
    package var postgres: String?
    package var user = "postgres"
    package var oxbow: String?

    package static let usage = """
        usage: oxbow-bench experiment [options]
          --quick            the catalog of 63 MB alone, in less than two minutes
          --only NAME        one result; may be given several times
          --dir DISK         the folder whose disk is measured; a temporary one otherwise
          --import DUMP      what pg_dump made of a database of yours, instead of the catalog
          --table NAME       the table of it that is emptied and rescued; final_entities otherwise
          --runs NUMBER      how often each step is done
          --seconds NUMBER   how long each run of pgbench is
          --largest MB       the largest catalog; 8192 otherwise
          --peers            what others do alone, without ours
          --oxbow FILE       the oxbow that serves; the one beside this program otherwise
          --postgres FOLDER  PostgreSQL's programs; the newest of Debian's otherwise
          --user NAME        who runs PostgreSQL where this is root; postgres otherwise
          --figure FILE      draws the steps, as SVG
          --json             prints JSON, and nothing else on standard output
          --baseline OLD     compares with an older JSON; status 1 where what passed fails
          --seed NUMBER      what the catalog is drawn from
          --list             prints the names of the results
        """

    package init() {}

    package init(_ words: [String]) throws {
        var words = words[...]
        while let word = words.popFirst() {
            if takeSwitch(word) { continue }
            guard let value = words.popFirst() else {
                throw BenchmarkError("unknown option \(word), or no value\n\(Self.usage)")
            }
            try take(word, value)
        }
    }

    private mutating func takeSwitch(_ word: String) -> Bool {
        switch word {
        case "--quick": scale = .quick
        case "--tiny": scale = .tiny
        case "--json": isJSON = true
        case "--list": isList = true
        case "--peers": isPeersOnly = true
        default: return false
        }
        return true
    }

    private mutating func take(_ word: String, _ value: String) throws {
        func number() throws -> Int {
            guard let number = Int(value), number > 0 else {
                throw BenchmarkError("\(word) needs a number above 0\n\(Self.usage)")
            }
            return number
        }
        switch word {
        case "--only": only.append(value)
        case "--dir": folder = value
        case "--import": dump = value
        case "--table": table = value
        case "--figure": figure = value
        case "--baseline": baseline = value
        case "--postgres": postgres = value
        case "--user": user = value
        case "--oxbow": oxbow = value
        case "--runs": runs = try number()
        case "--seconds": seconds = try number()
        case "--largest": largestMegabytes = try number()
        case "--seed": seed = UInt64(try number())
        default: throw BenchmarkError("unknown option \(word)\n\(Self.usage)")
        }
    }
}
