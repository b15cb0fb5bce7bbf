/// What the demo is told.
struct Arguments {
    static let help = """
        usage: oxbow-demo [--folder PATH] [--megabytes N] [--seed N] [--wait SECONDS] [--quiet]

          --folder PATH    make the store there, and leave it there
          --megabytes N    how much data (63)
          --seed N         what the data is made from (20260408)
          --wait SECONDS   how long production runs before the accident (3)
          --quiet          the figures alone
        """

    var folder: String?
    var megabytes = 63
    var seed: UInt64 = 20_260_408
    var waitSeconds = 3
    var isQuiet = false
    var wantsHelp = false

    init(_ words: some Sequence<String>) throws {
        var rest = Array(words)[...]
        while let word = rest.popFirst() {
            switch word {
            case "--folder": folder = try Self.value(&rest, of: word) { $0 }
            case "--megabytes":
                megabytes = try Self.value(&rest, of: word) { Int($0) }
                guard (1...4096).contains(megabytes) else {
                    throw Failure("--megabytes takes 1 to 4096")
                }
            case "--seed": seed = try Self.value(&rest, of: word) { UInt64($0) }
            case "--wait":
                waitSeconds = try Self.value(&rest, of: word) { Int($0) }
                guard (0...3600).contains(waitSeconds) else {
                    throw Failure("--wait takes 0 to 3600 seconds")
                }
            case "--quiet": isQuiet = true
            case "--help", "-h": wantsHelp = true
            default: throw Failure("\(word) is not known\n\(Self.help)")
            }
        }
    }

    private static func value<Value>(
        _ rest: inout ArraySlice<String>,
        of option: String,
        _ parse: (String) -> Value?
    ) throws -> Value {
        guard let word = rest.popFirst(), let value = parse(word) else {
            throw Failure("\(option) needs a value\n\(help)")
        }
        return value
    }
}
