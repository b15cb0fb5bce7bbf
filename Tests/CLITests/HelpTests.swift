import OxbowCLI
import Testing

@Suite struct HelpTests {
    @Test func `help reads like this`() throws {
        let tool = try Tool()
        #expect(
            try tool.run("help", "branch", "create").text == """
                oxbow branch create: Make a branch of what another shows, now or in the past

                Usage: oxbow branch create NAME --from BRANCH[@POINT] [--expires WHEN]
                                           [--if-not-exists] [--actor WHO]
                                           [--label KEY=VALUE]...

                It costs the same however much is in the branch, and however long ago the point
                is.

                With --if-not-exists a branch of that name is taken as it is where it was forked
                from the same branch, and from the same record if a point is given; else that is
                an error that says from what it was.

                Arguments:
                  NAME                   The new branch's name

                Options:
                  --from BRANCH[@POINT]  What to fork: a branch as it is now, or as it was at a
                                         point
                  --expires WHEN         When it goes by itself: 1h, 7d, a time, or never
                  --if-not-exists        Do nothing where the branch is there, and was made of
                                         the same
                  --actor WHO            Who does it, for the history; by default $OXBOW_ACTOR,
                                         or else the login name
                  --label KEY=VALUE      What else the history should say of it
                  -s, --store DIR        The store's folder; by default $OXBOW_STORE, or else
                                         the current folder
                  --json                 Print one JSON document instead of text; errors too
                  -h, --help             Say what the command does

                Examples:
                  oxbow branch create pr-1432 --from main --expires 7d
                      a branch for a week
                  oxbow branch create rescue --from main@10m
                      main as it was ten minutes ago
                  oxbow branch create was --from main@2026-04-08T22:56:02Z --label ticket=1432
                      main as it was at a time

                Keys of the JSON document:
                  branch, branch.id, branch.name, branch.created, branch.actor, branch.labels,
                  branch.parent, branch.parent.id, branch.parent.name, branch.origin,
                  branch.timeline, branch.head.lsn, branch.head.time, branch.expires,
                  branch.protected, branch.deleted, isNew

                """
        )
    }

    @Test(arguments: Commands.table.commands.map(\.path))
    func `every command explains itself, in each way to ask`(path: [String]) throws {
        let tool = try Tool()
        let help = try tool.run(["help"] + path)
        #expect(help.code == 0)
        #expect(help.messages == "")
        #expect(help.lines.allSatisfy { $0.count <= 80 }, "\(help.text)")
        #expect(try tool.run(path + ["--help"]).text == help.text)
        #expect(try tool.run(path + ["-h"]).text == help.text)
        let json = try Document(tool.run(["help"] + path + ["--json"]).bytes)
        #expect(json.text("commands.0.name") == path.joined(separator: " "))
    }

    @Test func `the overview names every command, a group's help the group's`() throws {
        let tool = try Tool()
        let overview = try tool.lines("help")
        #expect(overview.allSatisfy { $0.count <= 80 })
        for command in Commands.table.commands {
            #expect(overview.contains { $0.hasPrefix("  \(command.name) ") })
        }
        #expect(try tool.lines("--help") == overview)
        let group = try tool.lines("branch", "--help")
        #expect(try tool.lines("help", "branch") == group)
        for command in Commands.table.commands(of: "branch") {
            #expect(group.contains { $0.hasPrefix("  \(command.name) ") })
        }
    }

    @Test func `without a command there is the overview, and a failure`() throws {
        let tool = try Tool()
        let outcome = try tool.run()
        #expect(outcome.code == 2)
        #expect(outcome.text == "")
        let overview = try tool.run("help").text
        #expect(
            outcome.messages
                == overview + "\noxbow: a command is missing: `oxbow help` lists them\n"
        )
    }

    @Test func `the version is told in each way to ask`() throws {
        let tool = try Tool()
        let lines = try tool.lines("--version")
        #expect(lines.count == 1)
        #expect(lines[0].wholeMatch(of: /oxbow \d+\.\d+\.\d+/) != nil)
        #expect(try tool.lines("version") == lines)
        let version = try tool.json("version").text("version")
        #expect(lines == ["oxbow \(version ?? "")"])
        #expect(try Document(tool.run("--version", "--json").bytes).text("version") == version)
    }

    @Test(arguments: Commands.table.commands)
    func `every example is a line that the command takes`(command: Command) throws {
        #expect(!command.examples.isEmpty, "\(command.name) has no example")
        for example in command.examples {
            var words = example.line.split(separator: " ").map(String.init)
            #expect(words.first == "oxbow")
            words = Array(words.dropFirst().prefix { !["<", ">", "|", "&&"].contains($0) })
            let parser = Parser(
                Commands.table,
                output: Output(),
                environment: Environment(store: nil, actor: "")
            )
            switch try parser.parse(words) {
            case .run(let call): #expect(call.command.name == command.name)
            case .help: Issue.record("\(example.line) is help")
            case .version: #expect(command.name == "version")
            }
        }
    }
}

extension Command: CustomTestStringConvertible {
    /// What a failure calls the command.
    public var testDescription: String { name }
}
