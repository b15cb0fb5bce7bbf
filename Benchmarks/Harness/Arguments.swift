import Foundation

/// What the command was asked for.
package struct Arguments: Sendable, Equatable {
    package var scale = Scale.full
    package var only: [String] = []
    package var folder = FileManager.default.temporaryDirectory.path
    package var baseline: String?
    package var isJSON = false
    package var isList = false
    package var seed: UInt64 = 20_260_408

    package static let usage = """
        usage: oxbow-bench engine [options]
          --quick            sizes for 45 seconds; some results are too small to judge
          --only NAME        one benchmark; may be given several times
          --dir DISK         the folder whose disk is measured; a temporary one otherwise
          --json             prints JSON, and nothing else on standard output
          --baseline OLD     compares with an older JSON; status 1 where what passed fails
          --seed NUMBER      what the data is drawn from
          --list             prints the names
        """

    package init() {}

    package init(_ words: [String]) throws {
        self.init()
        var words = words[...]
        func value(_ option: String) throws -> String {
            guard let value = words.popFirst() else {
                throw BenchmarkError("\(option) needs a value\n\(Self.usage)")
            }
            return value
        }
        while let word = words.popFirst() {
            switch word {
            case "--quick": scale = .quick
            case "--tiny": scale = .tiny
            case "--only": only.append(try value(word))
            case "--dir": folder = try value(word)
            case "--json": isJSON = true
            case "--baseline": baseline = try value(word)
            case "--list": isList = true
            case "--seed":
                guard let number = UInt64(try value(word)) else {
                    throw BenchmarkError("--seed needs a number\n\(Self.usage)")
                }
                seed = number
            default: throw BenchmarkError("unknown option \(word)\n\(Self.usage)")
            }
        }
    }
}
