import Testing

/// The controls of the laws that reach beyond one source file.
@Suite struct StructureControlTests {
    static let manifest = """
        // layer("Ghost", ["Nobody"])
        func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
            .target(name: name, dependencies: dependencies, swiftSettings: production)
        }
        let package = Package(
            name: "oxbow",
            products: [.library(name: "Oxbow", targets: ["Oxbow"])],
            targets: [
                .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["lz4"])]),
                layer("Low", ["CLZ4"]),
                layer("Alone"),
                .target(
                    name: "High (not closed",
                    dependencies: []
                ),
                .executableTarget(
                    name: "Top",
                    dependencies: [
                        "Low", .target(name: "Alone"), .product(name: "Outer", package: "outer"),
                        .byName(name: "CLZ4", condition: .when(platforms: [.linux])),
                    ],
                    path: "Top",
                    exclude: ["README.md"]
                ),
                tests("TopTests", ["Top", "Low"]),
            ]
        )
        """

    @Test func `a manifest's targets are read with what they depend on`() {
        #expect(
            PackageManifest(Self.manifest).targets == [
                .init(name: "CLZ4", dependencies: []),
                .init(name: "Low", dependencies: ["CLZ4"]),
                .init(name: "Alone", dependencies: []),
                .init(name: "Top", dependencies: ["Low", "Alone", "CLZ4"]),
                .init(name: "TopTests", dependencies: ["Top", "Low"]),
            ]
        )
        #expect(PackageManifest(Self.manifest).outOfOrder == [])
    }

    @Test(arguments: [
        (#"layer("Low", ["CLZ4"])"#, #"layer("Low", ["CLZ4", "Alone"])"#),
        (#"layer("Alone")"#, #"layer("Alone", ["Alone"])"#),
        (#"layer("Alone")"#, #".target(name: "Alone", dependencies: [.target(name: "Top")])"#),
        (#"tests("TopTests", ["Top", "Low"])"#, #"tests("TopTests", ["Missing", "Top"])"#),
    ])
    func `a dependency on a target below is found`(good: String, bad: String) {
        let manifest = PackageManifest(Self.manifest.replacing(good, with: bad))
        #expect(manifest.outOfOrder.count == 1)
    }

    @Test func `links are found in prose and not in code`() {
        let page = """
            See [one](a.md), [two](docs/b.md#part "Title") and [three](<c.md>).
            Not [web](https://example.org/x.md), [mail](mailto:a@example.org), [part](#part).
            Nor `[code](d.md)`.
            ```
            [fenced](e.md)
            ```
            [ref]: ../f.md
            ![image](g.png)
            """
        #expect(
            Links.relative(page) == [
                Finding(line: 1, what: "a.md"), Finding(line: 1, what: "docs/b.md"),
                Finding(line: 1, what: "c.md"), Finding(line: 7, what: "../f.md"),
                Finding(line: 8, what: "g.png"),
            ]
        )
    }

    @Test(arguments: [
        ("b.md", "docs/b.md"), ("./b.md", "docs/b.md"), ("../b.md", "b.md"),
        ("decisions/b.md", "docs/decisions/b.md"), ("/b.md", "b.md"), ("../../b.md", nil),
    ])
    func `a link starts from its page`(target: String, path: String?) {
        #expect(Links.resolve(target, from: "docs/a.md") == path)
    }

    @Test func `a link that leads nowhere is found`() {
        let there: Set = ["docs/b.md"]
        let broken = { (text: String) in
            Links.broken(text, path: "docs/a.md") { there.contains($0) }
        }
        #expect(broken("[x](b.md#here)") == [])
        #expect(broken("[x](c.md)") == [Finding(line: 1, what: "c.md")])
        #expect(broken("[x](../b.md)").count == 1)
        #expect(broken("[x](../../etc/passwd)").count == 1)
    }

    @Test func `lines end where they end`() {
        #expect(lines(of: "") == [])
        #expect(lines(of: "a") == ["a"])
        #expect(lines(of: "a\n") == ["a"])
        #expect(lines(of: "a\n\nb\n\n") == ["a", "", "b", ""])
    }
}
