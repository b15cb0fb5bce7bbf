import OxbowCLI
import Testing

/// What is read of `pg_restore --list --create`.
@Suite struct DumpContentsTests {
    private func contents(_ name: String, _ entry: String?) -> DumpContents {
        DumpContents(
            [";", "; Archive created at 2026-04-08 22:56:02 UTC", ";     dbname: \(name)", ";"]
                + (entry.map { ["3344; 1262 16384 DATABASE - \($0)"] } ?? [])
                + [
                    "4; 2615 2200 SCHEMA - public me", "214; 1259 16386 TABLE public t me",
                    "215; 1259 16389 SEQUENCE public TABLE me",
                    "216; 0 16386 TABLE ATTACH public t me", "3338; 0 16386 TABLE DATA public t me",
                ]
        )
    }

    @Test(
        arguments: [
            ("app", nil, "app"), ("app", "app me", "app"), ("app@main", "app me", "app"),
            ("app@main@10m+", "app me", "app"), ("a@@b@main", "a@b me", "a@b"),
            ("p@q=r", "p@q=r me", "p@q=r"), ("a@b", "a@b me", "a@b"), ("a@b", nil, nil),
            ("a@b", "other me", nil), ("a@\u{301}", "a@\u{301} me", "a@\u{301}"),
        ] as [(String, String?, String?)]
    )
    func `a dump's database is told from the branch that it was asked for on`(
        name: String,
        entry: String?,
        database: String?
    ) {
        #expect(contents(name, entry).database == database)
        #expect(contents(name, entry).tables == 1)
    }

    @Test func `what has no header has no database`() {
        #expect(DumpContents([]).database == nil)
        #expect(DumpContents(["x", "1; 2 3"]).tables == 0)
    }
}
