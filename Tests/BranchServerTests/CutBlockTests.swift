import BranchServer
import Oxbow
import Testing
import Volume

@Suite struct CutBlockTests {
    private let files: BranchFiles
    private let ownership = Ownership(permissions: 0o700)

    init() throws { files = try BranchFiles.open(Store.temporary().branch("main")) }

    /// Writes a block of a file in two pieces, over one that was whole.
    private func cut(_ path: String) throws {
        var folder = InodeNumber.root
        let parts = path.split(separator: "/").map(String.init)
        for part in parts.dropLast() {
            let name = try FileName(part)
            folder =
                try (try? files.lookUp(name, in: folder))
                ?? files.makeFolder(name, in: folder, ownership)
        }
        let name = try FileName(parts[parts.count - 1])
        let file = try files.openFile(files.makeFile(name, in: folder, ownership))
        try file.write([UInt8](repeating: 1, count: 8192), at: 0)
        try file.write([UInt8](repeating: 2, count: 4672), at: 0)
        try file.write([UInt8](repeating: 2, count: 3520), at: 4672)
    }

    @Test func `blocks of transactions may come in pieces, and those of tables may not`() throws {
        #expect(!CutBlocks.areIn(files))
        for name in ["pg_xact", "pg_multixact/members", "pg_multixact/offsets", "pg_subtrans"] {
            try cut("pgdata/\(name)/0000")
        }
        #expect(files.cutWriteCount > 0)
        #expect(!CutBlocks.areIn(files))
        try cut("pgdata/base/5/16384")
        #expect(CutBlocks.areIn(files))
    }

    @Test func `files of transactions come and go`() throws {
        for number in 0..<200 {
            try cut("pgdata/pg_subtrans/\(number)")
            #expect(!CutBlocks.areIn(files))
            let folder = try files.resolve("/pgdata/pg_subtrans")
            try files.remove(FileName("\(number)"), from: folder)
            #expect(!CutBlocks.areIn(files))
        }
        try cut("pgdata/base/5/16384")
        #expect(CutBlocks.areIn(files) && CutBlocks.areIn(files))
    }

    @Test func `the same name elsewhere is no block of transactions`() throws {
        try cut("pgdata/base/pg_xact/0000")
        #expect(CutBlocks.areIn(files))
    }

    @Test func `what cannot be told is taken for a block of a table`() throws {
        for number in 0...64 { try cut("pgdata/pg_xact/\(number)") }
        #expect(CutBlocks.areIn(files))
    }
}
