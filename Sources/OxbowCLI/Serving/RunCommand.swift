#if Server
import BranchServer
import DiskIO
import Glibc
import Oxbow
import Primitives

/// `oxbow run`.
enum RunCommand {
    private static let fork = Option(
        "fork",
        "BRANCH[@POINT]",
        isRequired: true,
        help: "What the program gets a fork of"
    ) { text throws(Misuse) in
        _ = try Values.branchMoment(text)
        return text
    }
    private static let words = Positional(
        "COMMAND",
        takesRest: true,
        help: "The program and its arguments, after --",
        parse: Values.text
    )

    static let command = Command(
        "run",
        "Run a program on a fork of its own",
        positionals: [words],
        options: [fork, AddressCommands.database],
        discussion: [
            "The program finds the fork in DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD and "
                + "PGDATABASE, and in OXBOW_BRANCH its name. The fork is deleted when the program "
                + "has ended, however that came, also where the program renamed it; a fork that "
                + "could not be expires within the hour. The exit code is the program's.",
            "Signals go on to the program. One that goes on for ten seconds after SIGTERM is "
                + "killed.",
            "PGHOST is the folder of the fork's own socket, where every database that is named "
                + "without a branch is the fork's. DATABASE_URL names the database with the fork; "
                + "a program that puts another name there should keep what stands from the @ on. "
                + "PGSERVICE, PGHOSTADDR and what PGOPTIONS say of a branch are taken away.",
        ],
        examples: [
            .init("oxbow run --fork main -- pytest", "tests that may do what they like"),
            .init("oxbow run --fork main@1h -d app -- ./report.sh", "on what was an hour ago"),
        ],
        place: .here
    ) { call in
        let signals = EndSignals.hold(EndSignals.all)
        let link = ServerLink(call: call)
        let name = "run-" + String(SystemEntropy.draw() & 0xFFFF_FFFF_FFFF, radix: 36)
        let words = call.all(words)
        var creation = [
            "branch", "create", name, "--from", try call.value(fork), "--expires", lifetime,
            "--label", "run=\(Text.plain(String(words[0].suffix(200))))",
        ]
        if call.wantsJSON { creation.append("--json") }
        try link.ask(creation)
        var code: Int32 = 1
        var fork = name
        do {
            defer { delete(fork, name, link, call.output) }
            fork = try id(of: name, link)
            let address = try link.address(of: name, database: call[AddressCommands.database])
            try call.output.flush()
            let child = try ChildProcess(
                words,
                changes: address.variables(options: ChildProcess.variable("PGOPTIONS"))
                    + [("OXBOW_BRANCH", name)]
            )
            code = wait(for: child, signals, fork, link)
        }
        if code != 0 { throw ProgramEnd(code: code) }
    }

    /// Made longer again and again while the program runs.
    private static let lifetime = "1h"
    private static let renewalSeconds: UInt64 = 600
    private static let graceSeconds: UInt64 = 10

    private static func seconds() -> UInt64 { SystemClock().monotonic() / 1_000_000_000 }

    /// Waits for the program, and passes on what would end this process.
    private static func wait(
        for child: ChildProcess,
        _ signals: EndSignals,
        _ fork: String,
        _ link: ServerLink
    ) -> Int32 {
        var renewed = seconds()
        var killedFrom: UInt64?
        while true {
            if let code = child.poll() { return code }
            if let signal = signals.next(atMostMilliseconds: 20) {
                // A key has told the program, too, which may take it once for something else than
                // twice.
                if !signal.isKey { child.signal(signal.number) }
                if signal.number == SIGTERM { killedFrom = killedFrom ?? seconds() + graceSeconds }
            }
            if let killedFrom, seconds() >= killedFrom { child.signal(SIGKILL) }
            if seconds() - renewed >= renewalSeconds {
                renewed = seconds()
                _ = try? link.ask(["branch", "expire", fork, lifetime], quietly: true)
            }
        }
    }

    /// What stays of a branch whatever its name.
    private static func id(of name: String, _ link: ServerLink) throws -> String {
        let shown = try link.ask(["branch", "show", name, "--json"])
        guard let start = shown.firstRange(of: "\"id\": \"")?.upperBound else { return name }
        return String(shown[start...].prefix { $0 != "\"" })
    }

    private static func delete(
        _ fork: String,
        _ name: String,
        _ link: ServerLink,
        _ output: Output
    ) {
        // The program may have done it.
        let shown = (try? link.ask(["branch", "show", fork], quietly: true)) ?? ""
        if shown.split(separator: "\n").contains(where: { $0.hasPrefix("  deleted ") }) { return }
        do { try link.ask(["branch", "delete", fork]) } catch {
            output.message("oxbow: the fork \(name) is still there; it goes within the hour")
        }
    }
}
#endif
