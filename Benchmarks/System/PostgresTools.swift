import Foundation
import Glibc

/// PostgreSQL's programs, and who runs its servers.
struct PostgresTools: Sendable {
    let folder: String
    let version: String
    /// PostgreSQL does not run as root: then as this account.
    let user: String?

    /// The version that Debian installs; another where a folder of programs is named.
    init(folder: String? = nil, user: String = "postgres") throws {
        let found = folder ?? Self.newest()
        guard let found, access(found + "/postgres", X_OK) == 0 else {
            throw BenchmarkError("there is no PostgreSQL: apt-get install postgresql-15")
        }
        self.folder = found
        self.user = geteuid() == 0 ? user : nil
        version =
            try Tool.run([found + "/postgres", "--version"])
            .split(separator: " ").first { $0.first?.isNumber == true }.map {
                $0.trimmingCharacters(in: .whitespacesAndNewlines)
            } ?? "unknown"
    }

    private static func newest() -> String? {
        // 15 is what the experiment is stated for.
        ["15", "16", "17", "14", "13"].map { "/usr/lib/postgresql/\($0)/bin" }
            .first { access($0 + "/postgres", X_OK) == 0 }
    }

    func path(_ name: String) -> String { folder + "/" + name }

    /// The words before those of a program that must not be root.
    var unprivileged: [String] {
        user.map { ["setpriv", "--reuid=\($0)", "--regid=\($0)", "--clear-groups"] } ?? []
    }

    /// Gives a folder to the account that servers run as.
    func own(_ path: String) throws {
        if let user { try Tool.run(["chown", "\(user):\(user)", path]) }
    }

    /// A new folder that servers can use.
    func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755]
        )
        try own(path)
    }

    /// A new cluster with data checksums, as ours are.
    func initialize(_ data: String, password: String? = nil) throws {
        var words = [
            path("initdb"), "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
            "--data-checksums", "--auth=trust",
        ]
        guard let password else {
            try Tool.run(unprivileged + words)
            return
        }
        words[words.count - 1] = "--auth=scram-sha-256"
        let file = data + ".password"
        try Data((password + "\n").utf8).write(to: URL(filePath: file))
        defer { unlink(file) }
        try own(file)
        try Tool.run(unprivileged + words + ["--pwfile=\(file)"])
    }

    /// Runs a client's program against a server.
    @discardableResult
    func client(
        _ name: String,
        _ login: Login,
        _ words: [String],
        input: (any Sequence<[UInt8]>)? = nil
    ) throws -> String {
        try Tool.run([path(name)] + words, environment: login.environment, input: input)
    }
}
