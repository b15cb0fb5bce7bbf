package import Volume

/// Which blocks of a cluster came in pieces that `full_page_writes` is there for.
///
/// PostgreSQL writes what it knows of transactions straight from memory that the writing process
/// may not have touched, and then the system hands it over in pieces. No setting puts such blocks
/// into the log: each state in them is set again by redo, whichever half had been written.
package enum CutBlocks {
    private static let others = [
        "pg_xact", "pg_multixact/members", "pg_multixact/offsets", "pg_subtrans", "pg_commit_ts",
        "pg_notify", "pg_serial",
    ]

    /// Whether there was one, or that cannot be told. To be asked now and then, since a file that
    /// has no name any more cannot be told from others.
    package static func areIn(_ files: BranchFiles) -> Bool {
        guard let cut = files.cutFiles else { return true }
        guard !cut.isEmpty else { return false }
        let harmless = cut.intersection(transactionFiles(files))
        files.forgiveCuts(in: harmless)
        return harmless != cut
    }

    private static func transactionFiles(_ files: BranchFiles) -> Set<InodeNumber> {
        var found: Set<InodeNumber> = []
        for name in others {
            // A folder that this version does not have holds nothing.
            guard let folder = try? files.resolve("/\(ComputePlace.dataFolder)/\(name)") else {
                continue
            }
            try? files.visitEntries(of: folder, from: .start) { entry, _ in
                if entry.kind == .file { found.insert(entry.number) }
                return found.count < limit
            }
        }
        return found
    }

    private static let limit = 100_000
}
