import Glibc

/// Where `oxbow import --from` takes a database from.
package enum ImportSource: Sendable, Equatable {
    /// A server, by what libpq takes for one.
    case server(String)
    /// A file of SQL, as `pg_dump` writes it without `-F`.
    case script(LocalPath)
    /// What `pg_restore` reads: a file, or a folder.
    case archive(LocalPath)
    /// The folder of a cluster.
    case cluster(LocalPath)

    /// Whether the text means a server, whatever files there are.
    package static func isServer(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
            || text.firstMatch(of: /^(host|hostaddr|service|dbname|user|port) *= */) != nil
    }

    /// Finds out what a path is, by what is in it.
    static func at(_ path: LocalPath) throws -> ImportSource {
        guard let found = try path.target() else {
            throw Failure("file", "\(path.shown): there is no such file or folder")
        }
        if found.isFolder {
            if try path.appending(Array("PG_VERSION".utf8)).target() != nil {
                return .cluster(path)
            }
            if try path.appending(Array("toc.dat".utf8)).target() != nil { return .archive(path) }
            throw Failure(
                "file",
                "\(path.shown) is neither a cluster's folder (no PG_VERSION is in it) nor a dump "
                    + "(no toc.dat)"
            )
        }
        let file = try LocalFile.reading(path)
        var head = [UInt8](repeating: 0, count: 16)
        let count = try unsafe head.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
        return try of(Array(head.prefix(count)), path)
    }

    /// What a file is that begins so.
    static func of(_ head: [UInt8], _ path: LocalPath) throws(Failure) -> ImportSource {
        if head.starts(with: Array("PGDMP".utf8)) || head.starts(with: Array("toc.dat\0".utf8)) {
            return .archive(path)
        }
        let packed: [([UInt8], String)] = [
            ([0x1F, 0x8B], "gunzip"), ([0x28, 0xB5, 0x2F, 0xFD], "unzstd"),
            ([0xFD, 0x37, 0x7A], "unxz"), ([0x42, 0x5A, 0x68], "bunzip2"),
        ]
        if let (_, tool) = packed.first(where: { head.starts(with: $0.0) }) {
            throw Failure("file", "\(path.shown) is compressed: `\(tool)` it first")
        }
        return .script(path)
    }
}
