import Foundation
import Glibc
import ServerFixture
import Testing

/// A program that talks to a server as its users do: a file of its own, which prints a line for
/// each thing that it saw work.
struct Client: Sendable, CustomTestStringConvertible {
    /// The name of the file with the lines, beside that of the program.
    let name: String
    /// What runs the program, and the program.
    let command: [String]
    /// What has to be there: a path, of which one is enough.
    let needs: [String]
    /// Debian's packages that bring it.
    let packages: String

    var testDescription: String { name }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Clients").path
    /// Where Debian's modules for Node are: installed, or where `scripts/test` unpacked them since
    /// the Node that is there is none of Debian's.
    private static let nodeFolders = [
        "/usr/share/nodejs", folder + "/../../../.build/node-pg/usr/share/nodejs",
    ]

    static let all = [
        Client(shell: "psql"),
        Client(shell: "pgbench"),
        Client(shell: "dump"),
        Client(
            name: "psycopg3",
            command: ["/usr/bin/python3", "-B", folder + "/psycopg3.py"],
            needs: ["/usr/lib/python3/dist-packages/psycopg"],
            packages: "python3-psycopg"
        ),
        Client(
            name: "alchemy",
            command: ["/usr/bin/python3", "-B", folder + "/alchemy.py"],
            needs: ["/usr/lib/python3/dist-packages/sqlalchemy"],
            packages: "python3-sqlalchemy python3-psycopg2"
        ),
        Client(
            name: "postgres",
            command: ["/usr/bin/env", "node", folder + "/postgres.js"],
            needs: nodeFolders.map { $0 + "/pg/package.json" },
            packages: "nodejs node-pg"
        ),
        Client(
            name: "jdbc",
            command: [
                "/usr/bin/env", "java", "-XX:TieredStopAtLevel=1",
                "-cp", "/usr/share/java/postgresql.jar", folder + "/Jdbc.java",
            ],
            needs: ["/usr/share/java/postgresql.jar"],
            packages: "libpostgresql-jdbc-java openjdk-17-jre-headless"
        ),
    ]

    private init(name: String, command: [String], needs: [String], packages: String) {
        self.name = name
        self.command = command
        self.needs = needs
        self.packages = packages
    }

    private init(shell name: String) {
        self.init(
            name: name,
            command: ["/bin/bash", "\(Self.folder)/\(name).sh"],
            needs: ["/usr/lib/postgresql/15/bin/pgbench"],
            packages: "postgresql-15 postgresql-client-15"
        )
    }

    var isInstalled: Bool { needs.contains { access($0, R_OK) == 0 } }

    /// The lines that it prints where everything works.
    var expected: String {
        get throws { try String(contentsOfFile: "\(Self.folder)/\(name).ok", encoding: .utf8) }
    }

    /// What it prints on a branch of its own.
    func run(_ server: RunningServer) throws -> (said: String, status: Int32) {
        let folder = "\(server.folder)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let address = try #require(URLComponents(string: server.url))
        let environment = [
            "PGHOST": address.host ?? "", "PGPORT": "\(address.port ?? 0)",
            "PGUSER": address.user ?? "", "PGPASSWORD": address.password ?? "", "BRANCH": name,
            "URL": server.url + "@" + name,
            "NODE_PATH": Self.nodeFolders.joined(separator: ":"),
        ]
        let settings = environment.map { "\($0.key)='\($0.value)'" }.sorted()
        let words = command.map { "'\($0)'" }
        return try server.run(
            "cd '\(folder)' && timeout 300 env \((settings + words).joined(separator: " ")) 2>&1"
        )
    }
}
