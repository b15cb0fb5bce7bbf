import Foundation
import Testing

/// The repository checks itself, so the rules are code rather than review comments.
@Suite struct TidyTests {
    /// The modules that talk to people and to sockets, and may use what the engine must not.
    static let outerModules: Set<String> = ["OxbowCLI", "BranchServer"]
    /// The layers that own threads or system calls.
    static let systemModules: Set<String> = [
        "Primitives", "DiskIO", "Oxbow", "FuseMount", "BranchServer", "Simulation", "OxbowCLI",
    ]
    /// Where the machine's clock comes in.
    static let clocks: Set<String> = [
        "Sources/DiskIO/SystemClock.swift", "Sources/DiskIO/SystemEntropy.swift",
        "Sources/Primitives/Lock.swift",
    ]
    /// The layers that state their laws in a README.md beside the code. A new layer joins here.
    static let layersWithLaws = [
        "Primitives", "DiskIO", "WriteAheadLog", "PageStorage", "Timelines", "Oxbow", "Volume",
        "FuseMount", "PostgresWire", "BranchServer", "Simulation", "DemoCatalog",
    ]

    @Test func `the checks see the repository`() {
        #expect(Repository.sources.count > 10)
        #expect(Repository.tests.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
        #expect(Repository.texts.contains { $0.path == ".ci/run" })
        #expect(Repository.pages.contains { $0.path == "CHANGELOG.md" })
        #expect(Repository.sourceFolders.contains("Primitives"))
        #expect(Repository.texts.allSatisfy { !$0.path.contains("/.build") })
    }

    @Test(arguments: Repository.swift)
    func `a source file fits in 400 lines of 100 columns`(file: RepositoryFile) {
        #expect(Laws.size(file.text) == [])
    }

    @Test(arguments: Repository.sources)
    func `production code avoids unfinished and careless words`(file: RepositoryFile) {
        #expect(Laws.bannedWords(file.text, printing: file.module == "OxbowCLI") == [])
    }

    @Test(arguments: Repository.sources.filter { !outerModules.contains($0.module) })
    func `the engine does without Foundation`(file: RepositoryFile) {
        #expect(Laws.imports(file.text, of: ["Foundation", "FoundationEssentials"]) == [])
    }

    @Test(arguments: Repository.sources.filter { !systemModules.contains($0.module) })
    func `system calls stay in the layers that own them`(file: RepositoryFile) {
        #expect(Laws.imports(file.text, of: ["Glibc", "Musl", "Darwin"]) == [])
    }

    @Test(
        arguments: Repository.sources.filter {
            $0.module != "OxbowCLI" && !clocks.contains($0.path)
        }
    )
    func `time and randomness come in through their protocols`(file: RepositoryFile) {
        #expect(Laws.unseeded(file.text) == [])
    }

    @Test(
        arguments: Repository.swift.filter { !$0.path.hasPrefix("Tests/TidyTests/") }
    )
    func `a promise to the compiler says why it is safe`(file: RepositoryFile) {
        #expect(Laws.unexplainedPromises(file.text) == [])
    }

    @Test(arguments: Repository.sources)
    func `what people embed is documented`(file: RepositoryFile) {
        #expect(Laws.undocumentedPublic(file.text) == [])
    }

    @Test(arguments: Repository.sources)
    func `a module is never named like a type in it`(file: RepositoryFile) {
        #expect(Laws.namedLikeType(file.text, module: file.module) == [])
    }

    @Test func `a target depends only on targets above it`() {
        let manifest = PackageManifest(Repository.manifest.text)
        #expect(manifest.targets.count > 10)
        #expect(manifest.outOfOrder == [])
    }

    @Test(arguments: Repository.sourceFolders)
    func `every folder in Sources is a target`(folder: String) {
        #expect(PackageManifest(Repository.manifest.text).targets.contains { $0.name == folder })
    }

    @Test(arguments: layersWithLaws)
    func `a layer states its laws`(layer: String) {
        let page = Repository.file("Sources/\(layer)/README.md")
        #expect(page.text.hasPrefix("# \(layer)\n"))
        #expect(page.text.contains("\n1. "), "no numbered laws")
    }

    @Test(arguments: Repository.texts)
    func `no text names a path of one machine`(file: RepositoryFile) {
        #expect(Laws.machinePaths(file.text) == [])
    }

    @Test(arguments: Repository.pages)
    func `a link inside the repository leads somewhere`(page: RepositoryFile) {
        #expect(Links.broken(page.text, path: page.path, exists: Repository.exists) == [])
    }

    @Test(arguments: [
        "scripts/test", "scripts/format", "scripts/sanitize", "scripts/mutants", "scripts/bench",
        "scripts/powercut", "scripts/experiment",
        "scripts/fuzz", "scripts/demo", "scripts/test-embedding", ".ci/run",
    ])
    func `a script can be run`(path: String) {
        let file = Repository.root.appending(path: path).path
        #expect(FileManager.default.isExecutableFile(atPath: file))
        #expect(Repository.file(path).text.contains("set -euo pipefail"))
    }
}
