import Glibc

/// A PostgreSQL that is installed.
public struct PostgresInstallation: Sendable, Equatable {
    /// What `PG_VERSION` says of data that it can read: `15`.
    public let version: Int
    /// The folder of `postgres`, `initdb` and the others.
    public let folder: String

    package init(version: Int, folder: String) {
        self.version = version
        self.folder = folder
    }

    /// The path of a program.
    func program(_ name: String) -> String { folder + "/" + name }

    /// The oldest version that computes are run with.
    public static let oldest = 13

    /// All that are installed, newest first: Debian's folders, and what is on `PATH`.
    public static func all(path: String = searchPath) -> [PostgresInstallation] {
        var folders = ComputeFiles.names(in: "/usr/lib/postgresql").map {
            "/usr/lib/postgresql/\($0)/bin"
        }
        folders += path.split(separator: ":").map(String.init)
        var found: [PostgresInstallation] = []
        for folder in folders where ComputeFiles.isExecutable(folder + "/postgres") {
            guard let version = version(in: folder), version >= oldest,
                !found.contains(where: { $0.version == version })
            else { continue }
            found.append(PostgresInstallation(version: version, folder: folder))
        }
        return found.sorted { $0.version > $1.version }
    }

    /// The one that data of a version needs.
    package static func matching(
        _ version: Int,
        among installed: [PostgresInstallation]
    ) throws(ComputeError) -> PostgresInstallation {
        if let match = installed.first(where: { $0.version == version }) { return match }
        let others = installed.map { "\($0.version)" }.joined(separator: ", ")
        throw ComputeError(
            .unavailable,
            "PostgreSQL \(version) is not installed "
                + "(there is: \(others.isEmpty ? "none" : others)): "
                + "`apt-get install postgresql-\(version)`"
        )
    }

    /// The `PATH` of this process.
    public static var searchPath: String {
        unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
    }

    /// Asks a folder's `postgres` for its version; Debian's folders say it in their name.
    private static func version(in folder: String) -> Int? {
        let parts = folder.split(separator: "/")
        if folder.hasPrefix("/usr/lib/postgresql/"), parts.count > 3, let named = Int(parts[3]) {
            return named
        }
        let said = try? ComputeProcess.output(of: folder + "/postgres", ["--version"])
        return said.flatMap(parse)
    }

    /// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    package static func parse(_ text: String) -> Int? {
        guard let mark = text.firstRange(of: "(PostgreSQL) ") else { return nil }
        return Int(text[mark.upperBound...].prefix { $0.isNumber })
    }
}
