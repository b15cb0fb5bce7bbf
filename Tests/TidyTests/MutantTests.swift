import Foundation
import Testing

/// The tables of seeded bugs fit the sources; `scripts/mutants` shows that the tests catch them.
@Suite struct MutantTests {
    static let all = Repository.mutants.flatMap { MutantTable.read($0.text) }

    @Test func `there are bugs in every part of the engine`() {
        #expect(Self.all.count >= 100)
        let modules = Set(Self.all.flatMap(\.hunks).map { $0.file.split(separator: "/")[1] })
        #expect(modules.isSuperset(of: ["WriteAheadLog", "PageStorage", "Timelines", "Oxbow"]))
    }

    @Test func `every bug has a name of its own, a sentence, a test and a switch`() {
        #expect(Set(Self.all.map(\.name)).count == Self.all.count)
        for mutant in Self.all {
            #expect(mutant.what.hasSuffix("."), "\(mutant.name)")
            #expect(!mutant.tests.isEmpty, "\(mutant.name)")
            let new = mutant.hunks.map(\.new).joined()
            #expect(new.contains("mutant(\"\(mutant.name)\")"), "\(mutant.name)")
        }
    }

    @Test func `what a bug replaces is in its file exactly once`() {
        for mutant in Self.all {
            for hunk in mutant.hunks {
                let places = MutantTable.places(
                    of: hunk.old,
                    in: lines(of: Repository.file(hunk.file).text)
                )
                #expect(places.count == 1, "\(mutant.name) in \(hunk.file)")
            }
        }
    }

    @Test func `the tests that a bug names are there`() {
        for name in Set(Self.all.flatMap(\.tests)) {
            let parts = name.split(separator: ".")
            let files = Repository.tests.filter { $0.path.hasPrefix("Tests/\(parts[0])/") }
            let suite = parts.count > 1 ? "struct \(parts[1]) " : "@Suite"
            #expect(files.contains { $0.text.contains(suite) }, "\(name)")
        }
    }

    @Test func `a table is read as it is written`() {
        let text = """
            # A remark.
            mutant no-sync
            what A sync is left out.
            tests OxbowTests.StoreTests CrashTests
            at Sources/A.swift
             kept
            -old
            +mutant("no-sync")
            """
        let read = MutantTable.read(text)
        #expect(read.map(\.name) == ["no-sync"])
        #expect(read.first?.tests == ["OxbowTests.StoreTests", "CrashTests"])
        #expect(read.first?.hunks.map(\.old) == [["kept", "old"]])
        #expect(read.first?.hunks.map(\.new) == ["mutant(\"no-sync\")"])
        #expect(MutantTable.places(of: ["b"], in: ["a", "b", "b"]) == [1, 2])
        #expect(MutantTable.places(of: ["a", "b"], in: ["a", "b", "b"]) == [0])
    }
}
