#if Server
import BranchServer
import Glibc
import Oxbow

/// `oxbow psql`.
enum PsqlCommand {
    /// As it was written: the server reads it.
    static let asked = Positional(
        AddressCommands.asked.placeholder,
        isOptional: true,
        help: AddressCommands.asked.help
    ) { text throws(Misuse) in
        // What begins with a dash is for psql, and the branch was left out.
        if !text.hasPrefix("-") { _ = try Values.connectionMoment(text) }
        return text
    }
    private static let rest = Positional(
        "ARGUMENT",
        isOptional: true,
        takesRest: true,
        help: "What psql is told besides, after --",
        parse: Values.text
    )

    static let command = Command(
        "psql",
        "Talk to a branch, or to a moment of it",
        positionals: [asked, rest],
        options: [AddressCommands.database, AddressCommands.user],
        discussion: [
            "Runs psql on a branch of the server that runs. At a point it is read-only. Without "
                + "--database, the database is postgres."
        ],
        examples: [
            .init("oxbow psql pr-1432 -d app", "a branch"),
            .init("oxbow psql main@10m -d app", "as it was ten minutes ago"),
            .init("oxbow psql main+ -d app", "a fork that is gone afterwards"),
            .init("oxbow psql main -- -c VACUUM", "one statement"),
            .init("oxbow psql -- -l", "the databases of the default branch"),
        ],
        place: .here
    ) { call in
        if call.wantsJSON { throw Misuse("psql prints no JSON: leave out --json") }
        let words = (call[asked].map { [$0] } ?? []) + call.all(rest)
        let branch = words.first.flatMap { $0.hasPrefix("-") ? nil : $0 }
        let address = try ServerLink(call: call).address(
            of: branch,
            database: call[AddressCommands.database],
            user: call[AddressCommands.user]
        )
        try call.output.flush()
        throw ChildProcess.become(
            [program] + words.dropFirst(branch == nil ? 0 : 1),
            changes: address.variables(options: ChildProcess.variable("PGOPTIONS"))
                .filter { $0.name != "DATABASE_URL" }
        )
    }

    /// The one on `PATH`, or else that of an installed server.
    static var program: String { Self.path(of: "psql") }

    static func path(of name: String) -> String {
        let folders = PostgresInstallation.searchPath.split(separator: ":").map(String.init)
        if folders.contains(where: { unsafe access("\($0)/\(name)", X_OK) == 0 }) { return name }
        let others = PostgresInstallation.all().map { "\($0.folder)/\(name)" }
        return others.first { unsafe access($0, X_OK) == 0 } ?? name
    }
}
#endif
