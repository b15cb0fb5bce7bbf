#if Server
import BranchServer
import Glibc
import Oxbow

/// `oxbow url` and `oxbow env`.
enum AddressCommands {
    static let asked = Positional(
        "BRANCH[@POINT][+]",
        isOptional: true,
        help: "The branch, as it is now or as it was at a point, or with + a fork of that for each "
            + "connection; by default the default branch",
        parse: Values.connectionMoment
    )
    static let database = Option(
        "database",
        letter: "d",
        "DB",
        help: "The database; by default postgres",
        parse: Values.text
    )
    static let user = Option(
        "user",
        letter: "U",
        "NAME",
        help: "The role; by default the one that the server made, with its password",
        parse: Values.text
    )
    private static let format = Option(
        "format",
        "FORM",
        help: "How it is written: \(forms.joined(separator: ", ")); by default uri",
        parse: Values.choice("form", forms)
    )
    private static let forms = AddressFormat.allCases.map(\.rawValue)

    private static let keys: [Command.Key] = [
        .init("url", "where to connect, as the form has it"), .init("host", "the address"),
        .init("port", "the port"), .init("user", "the role"),
        .init("password", "its password, or null where the server does not know it"),
        .init("dbname", "the database's name, with the branch"),
        .init("branch", "the branch"), .init("lsn", "the record of a moment, or null"),
        .init("fork", "whether each connection gets a fork of its own"),
        .init("socket", "the folder of the branch's own socket; null of moments and forks"),
    ]

    static let url = Command(
        "url",
        "Print where a client connects to a branch",
        positionals: [asked],
        options: [database, user, format],
        discussion: [
            "A point is resolved to its record, so that the URL means the same tomorrow, while "
                + "history is kept; a snapshot keeps its name. The password is in it: take care "
                + "whom it is shown to.",
            "uri is for libpq and drivers that take a postgresql:// URL, sqlalchemy the same as "
                + "SQLAlchemy reads it, libpq the form of keyword=value, jdbc and npgsql those "
                + "drivers' own; fields is a word and its value on each line, for scripts, with "
                + "\\\\ for a backslash in it and \\n or \\r for what ends a line.",
        ],
        examples: [
            .init("oxbow url pr-1432 -d app", "for DATABASE_URL"),
            .init("oxbow url main@10m --format jdbc", "a moment, read-only"),
            .init("oxbow url main+ -d app", "each connection gets a fork of its own"),
            .init("oxbow url --format libpq", "the default branch, as keyword=value"),
        ],
        keys: keys
    ) { call in
        try call.withServer { server, store in
            let (address, record) = try call.address(server, store)
            let form = call[format].flatMap(AddressFormat.init) ?? .uri
            guard call.wantsJSON else { return try call.output.line(form.text(address)) }
            try call.output.json([
                "url": .string(form.text(address)), "host": .string(address.host),
                "port": JSON(Int(address.port)), "user": .string(address.user),
                "password": JSON(address.password), "dbname": .string(address.databaseName),
                "branch": .string(address.branch), "lsn": JSON(record),
                "fork": JSON(address.isFork),
                "socket": JSON(address.ownSocketFolder),
            ])
        }
    }

    static let env = Command(
        "env",
        "Print a shell's variables for a branch, for eval",
        positionals: [asked],
        options: [database, user],
        discussion: [
            "Sets PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and DATABASE_URL. PGHOST is the "
                + "folder of the branch's own socket, where every database that is named without a "
                + "branch is this one's; of a moment, and of forks, it is the server's address. "
                + "Unsets PGOPTIONS, PGSERVICE and PGHOSTADDR, which could lead elsewhere."
        ],
        examples: [
            .init(
                "oxbow env pr-1432 -d app",
                #"eval "$(oxbow env pr-1432 -d app)" sends psql and others there"#
            )
        ],
        keys: [
            .init("variables.PGHOST", "the socket's folder, or the address"),
            .init("variables.PGPORT", "the port"), .init("variables.PGUSER", "the role"),
            .init("variables.PGPASSWORD", "its password, or null"),
            .init("variables.PGDATABASE", "the database"),
            .init("variables.DATABASE_URL", "all of it, as a URL"),
            .init("variables.PGOPTIONS", "null: to be unset"),
            .init("variables.PGSERVICE", "null"), .init("variables.PGHOSTADDR", "null"),
        ]
    ) { call in
        try call.withServer { server, store in
            let (address, _) = try call.address(server, store)
            if call.wantsJSON {
                let pairs = address.variables().map { ($0.name, JSON($0.value)) }
                return try call.output.json(["variables": .object(pairs)])
            }
            for (name, value) in address.variables() {
                try call.output.line(
                    value.map { "export \(name)=\(Shell.quoted($0))" } ?? "unset \(name)"
                )
            }
        }
    }
}

extension Invocation {
    /// Runs a body with the server that does the command.
    func withServer(_ body: (Server, Store) throws -> Void) throws {
        guard let host = environment.host, let server = host.server else { throw noServer }
        try body(server, host.store)
    }

    var noServer: Failure {
        if unsafe access("\(folder)/server", X_OK) != 0, errno == EACCES {
            return Failure(
                "file",
                "\(folder)/server is closed to you: a server takes commands from the user that "
                    + "runs it, and from root"
            )
        }
        return Failure(
            "notFound",
            "no server runs on the store in \(folder): `oxbow serve --data "
                + "\(Shell.quoted(folder))` starts one"
        )
    }

    /// Where the branch that the command names is reached, and the record that its point is. A
    /// snapshot keeps its name, by which it is found when its record has left the history, too.
    func address(
        _ server: Server,
        _ store: Store
    ) throws -> (address: BranchAddress, record: LSN?) {
        let connection = self[AddressCommands.asked]
        let asked = connection?.origin
        let branch = try store.find(asked?.branch ?? .name(server.defaultBranch))
        let name = try branch.info().name
        var (moment, record): (String?, LSN?) = (nil, nil)
        if let asked, asked.text != nil, !asked.moment.isNow {
            let lsn = try store.point(asked).lsn
            (moment, record) = (asked.moment.snapshotName ?? "\(lsn)", lsn)
        }
        var address = BranchAddress(server, branch: name)
        if let user = self[AddressCommands.user], user != server.role {
            address.user = user
            address.password = nil
        }
        address.database = self[AddressCommands.database] ?? address.database
        address.moment = moment
        address.isFork = connection?.isFork ?? false
        return (address, record)
    }
}

extension BranchAddress {
    /// A branch of a server, as it is now.
    init(_ server: Server, branch: String) {
        self.init(
            host: server.clientHost,
            port: server.port,
            user: server.role,
            password: server.password,
            database: "postgres",
            branch: branch,
            socketFolder: server.socketFolder(of: branch)
        )
    }
}

extension Server {
    /// Where a client on this machine connects to.
    var clientHost: String {
        switch options.host {
        case "0.0.0.0", "*": "127.0.0.1"
        case "::": "::1"
        default: options.host
        }
    }
}
#endif
