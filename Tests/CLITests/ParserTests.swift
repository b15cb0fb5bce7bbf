import Oxbow
import OxbowCLI
import TestSupport
import Testing

@Suite struct ParserTests {
    static let name = Positional("NAME", help: "A name", parse: Values.name)
    static let rest = Positional(
        "WORD",
        isOptional: true,
        takesRest: true,
        help: "More",
        parse: Values.text
    )
    static let perhaps = Positional(
        "THING",
        isOptional: true,
        help: "A thing",
        parse: Values.name
    )
    static let from = Option(
        "from",
        "BRANCH",
        isRequired: true,
        help: "From where",
        parse: Values.text
    )
    static let count = Option(
        "count",
        letter: "n",
        "N",
        help: "How many",
        parse: Values.number("count", 1...9)
    )
    static let label = Option("label", "K=V", repeats: true, help: "A label", parse: Values.label)
    static let all = Flag("all", letter: "a", help: "All")

    static let table = CommandTable([
        Topic(
            "Things",
            [
                Command(
                    "thing make",
                    "Make",
                    positionals: [name, rest],
                    options: [from, count, label, all]
                ) { _ in },
                Command("thing list", "List") { _ in },
                Command("thing ask", "Ask", positionals: [perhaps, rest]) { _ in },
                Command("simulate", "Simulate", usesStore: false) { _ in },
            ]
        )
    ])

    func parse(_ line: String) throws(Misuse) -> Parser.Request {
        let parser = Parser(
            Self.table,
            output: Output(),
            environment: Environment(store: nil, actor: "")
        )
        return try parser.parse(line.split(separator: " ").map(String.init))
    }

    func invocation(_ line: String) throws -> Invocation {
        guard case .run(let invocation) = try parse(line) else {
            throw Misuse("\(line) runs nothing")
        }
        return invocation
    }

    @Test(arguments: [
        "thing make a --from main --count 3 --all --label x=1 --label y=2 b c",
        "thing make --from=main a -n 3 -a --label=x=1 --label=y=2 b c",
        "--json thing --store d make a b c -n 3 --from main --label x=1 --label y=2 --all",
        "thing make --from main -a --count=3 --label x=1 --label y=2 -- a b c",
    ])
    func `options stand anywhere and in any form`(line: String) throws {
        let call = try invocation(line)
        #expect(call.command.name == "thing make")
        #expect(call[Self.name] == "a")
        #expect(call.all(Self.rest) == ["b", "c"])
        #expect(call[Self.from] == "main")
        #expect(call[Self.count] == 3)
        #expect(call[Self.all])
        #expect(call.all(Self.label).map(\.key) == ["x", "y"])
    }

    @Test func `what is left out is nil`() throws {
        let call = try invocation("thing make a --from main")
        #expect(call[Self.count] == nil)
        #expect(!call[Self.all])
        #expect(call.all(Self.rest) == [])
        #expect(call[Globals.store] == nil)
        #expect(try invocation("-s data thing list")[Globals.store] == "data")
    }

    @Test func `after two dashes everything is a value`() throws {
        let call = try invocation("thing make --from main -- a --all -x")
        #expect(call.all(Self.rest) == ["--all", "-x"])
        #expect(!call[Self.all])
    }

    @Test func `what can be left out takes nothing from behind two dashes`() throws {
        let call = try invocation("thing ask -- -c x")
        #expect(call[Self.perhaps] == nil)
        #expect(call.all(Self.rest) == ["-c", "x"])
        let other = try invocation("thing ask a -- -c x")
        #expect(other[Self.perhaps] == "a")
        #expect(other.all(Self.rest) == ["-c", "x"])
    }

    @Test(arguments: [
        ("", "a command is missing: `oxbow help` lists them"),
        ("thnig list", "there is no command \"thnig\"; did you mean thing?"),
        ("frobnicate", "there is no command \"frobnicate\": `oxbow help` lists what there is"),
        ("thing", "thing what? Say one of make, list or ask: oxbow thing make"),
        ("thing mkae", "there is no command \"thing mkae\"; did you mean make?"),
        (
            "--quiet thing list",
            "--quiet stands before any command: `oxbow help` lists what there is"
        ),
        ("--jsn", "--jsn stands before any command; did you mean --json?"),
        (
            "thing list extra",
            "\"extra\" is one argument too many: oxbow thing list"
        ),
        (
            "thing make --from main",
            "NAME is missing: oxbow thing make NAME [WORD ...] --from BRANCH [--count N] "
                + "[--label K=V]... [--all]"
        ),
        (
            "thing make a",
            "thing make needs --from BRANCH: oxbow thing make NAME [WORD ...] --from BRANCH "
                + "[--count N] [--label K=V]... [--all]"
        ),
        ("thing make a --from", "--from needs a value: --from BRANCH"),
        ("thing make a --from --all", "--from needs a value: --from BRANCH"),
        ("thing make a --from x --from y", "--from is given twice: say it once"),
        ("thing make a --from x --all=yes", "--all takes no value: leave out \"=yes\""),
        ("thing make a --form x", "thing make has no option --form; did you mean --from?"),
        (
            "thing make a --wibble x",
            "thing make has no option --wibble: `oxbow help thing make` lists what there is"
        ),
        ("thing make a --from x -n 10", "\"10\" is no count: write a number from 1 to 9"),
        ("thing make a --from x -n +3", "\"+3\" is no count: write a number from 1 to 9"),
        (
            "thing make a --from x --label k",
            "\"k\" is no label: write KEY=VALUE, such as ticket=1432"
        ),
        ("simulate --store d", "simulate works on no store: leave out --store"),
        ("thing list --store=", "--store needs a folder, such as --store data"),
    ])
    func `a wrong line says what would be right`(line: String, message: String) {
        #expect(throws: Misuse(message)) { try parse(line) }
    }

    @Test(arguments: [
        ("--help", []), ("-h", []), ("thing --help", ["thing"]), ("thing -h", ["thing"]),
        ("thing make --help", ["thing", "make"]), ("thing make a --wrong -h", ["thing", "make"]),
        ("--help thing list", ["thing", "list"]),
    ])
    func `help is there everywhere`(line: String, path: [String]) throws {
        guard case .help(let found) = try parse(line) else {
            Issue.record("no help")
            return
        }
        #expect(found == path)
    }

    @Test func `the version needs no command`() throws {
        guard case .version = try parse("--version --json") else {
            Issue.record("no version")
            return
        }
    }

    @Test func `any line is taken or refused`() throws {
        var random = SeededRandom(test: 31)
        let words = [
            "--", "-", "", "=", "-n", "-s", "--from", "--from=", "--help", "--json", "--store",
            "-h",
            "thing", "make", "list", "simulate", "main", "main@10m", "9", "--label", "a=b", "é",
            "-é",
            "--count=9", "--=", "---", "\u{0}", "help", "--version",
        ]
        for _ in 0..<20_000 {
            let line = (0..<random.below(7)).map { _ in words[random.below(words.count)] }
            for table in [Self.table, Commands.table] {
                let parser = Parser(
                    table,
                    output: Output(),
                    environment: Environment(store: nil, actor: "")
                )
                do { _ = try parser.parse(line) } catch {
                    #expect(!error.message.isEmpty)
                }
            }
        }
    }
}
