import OxbowCLI

/// The page `docs/cli.md`, from what the commands declare.
enum Manual {
    static let text =
        (opening + Commands.table.topics.flatMap(topic)).joined(separator: "\n") + "\n"

    private static let opening = [
        "# The `oxbow` command", "",
        "Made from the help of the command: `UPDATE=1 swift test --filter ManualTests` does it.",
        "",
        "```", "oxbow COMMAND [ARGUMENT ...] [--store DIR] [--json]", "```", "",
        "**The store** is the folder given with `--store` (or `-s`), or else in `$OXBOW_STORE`,",
        "or else the current one. Only `oxbow init` and `oxbow serve` make one. One process at a",
        "time has a store open; another is refused, and told which process that is. `oxbow dump`",
        "works beside it.", "",
        "**A point** of a branch is written `BRANCH@POINT`: an LSN (`L16B3F28`), a time with its",
        "zone (`2026-04-08T22:56:02Z`), a time back (`10m`; also `ns`, `us`, `ms`, `s`, `h`,",
        "`d`), a snapshot's name, or `head`. It means the last record at or before it. A branch",
        "is named by its name or its id (`B1000`), which stays when the name changes. On a branch",
        "with a cluster a position of PostgreSQL's log (`0/16B3F28`) is a point, too: the first",
        "record at which that log reached it.", "",
        "**Exit codes**: 0; 1 for a failure; 2 for wrong usage. Results go to the standard",
        "output, messages to the standard error. A reader of the results that goes away is no",
        "failure. Long work shows its progress where messages go to a terminal.", "",
        "**`--json`** prints one JSON document on the standard output, for an error too:", "",
        "```json", #"{"error": {"kind": "notFound", "message": "there is no branch pr-7"}}"#,
        "```", "",
        "The kind is one of `busy`, `invalid`, `conflict`, `notFound`, `full`, `damaged`,",
        "`reopen` and `defect`, as the engine's errors have it, or `usage`, `input` (what came",
        "in on the standard input, or a folder) and `output`. A server adds `unavailable` (what it",
        "needs is not installed) and `failed`. Commands on files have further ones: `file`",
        "(something about a file of this machine), and, of a path in a branch,",
        "`exists`, `notAFolder`, `isAFolder`, `notEmpty`, `nameTooLong`, `tooManyLinks`,",
        "`fileTooLarge`, `tooManyHops`, `notSupported` and `stale`. LSNs, ids and times are",
        "strings; objects, pages and counts are numbers. Keys may be added, and are not taken",
        "away.", "",
        "**Files of a branch** are named `BRANCH:/PATH`, or `BRANCH@POINT:/PATH` as they were;",
        "a name may be any bytes. What has a point is read-only.",
    ]

    private static func topic(_ topic: Topic) -> [String] {
        ["", "## \(topic.title)"] + topic.commands.flatMap(command)
    }

    private static func command(_ command: Command) -> [String] {
        var lines = ["", "### `oxbow \(command.name)`", "", command.summary + "."]
        for paragraph in command.discussion { lines += [""] + Text.wrap(paragraph, 88) }
        lines += ["", "```", command.usage, "```"]
        let parameters =
            command.positionals.map { ("`\($0.placeholder)`", $0.help) }
            + command.options.map { option in
                let letter = option.letter.map { "`-\($0)`, " } ?? ""
                return (letter + "`\(option.usage)`", option.help)
            }
        if !parameters.isEmpty {
            lines += ["", "| argument | |", "|---|---|"]
            lines += parameters.map { "| \($0.0) | \($0.1) |" }
        }
        lines += ["", "```sh"]
        let width = command.examples.map(\.line.count).max() ?? 0
        lines += command.examples.map { example in
            example.line + String(repeating: " ", count: width - example.line.count)
                + "  # \(example.what)"
        }
        lines += ["```", "", "| JSON key | |", "|---|---|"]
        return lines + command.keys.map { "| `\($0.path)` | \($0.what) |" }
    }
}
