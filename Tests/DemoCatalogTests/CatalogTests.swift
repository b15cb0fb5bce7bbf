import DemoCatalog
import Primitives
import Testing

@Suite struct CatalogTests {
    static let small = CatalogGenerator(seed: 7, megabytes: 9)

    static func bytes(_ generator: CatalogGenerator) -> [UInt8] { generator.script.flatMap { $0 } }

    /// The rows of a table, each as its columns.
    static func rows(_ table: CatalogTable, of generator: CatalogGenerator) -> [[Substring]] {
        generator.steps.flatMap { step -> [[Substring]] in
            guard case .copy(_, let rows) = step, rows.table == table else { return [] }
            return String(decoding: rows.flatMap { $0 }, as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                .map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        }
    }

    @Test func `one seed gives one stream, and another another`() {
        let bytes = Self.bytes(Self.small)
        #expect(bytes.count == 1_049_333)
        #expect(Checksum.of(bytes) == 17_080_091_936_268_316_190)
        #expect(bytes == Self.bytes(Self.small))
        #expect(bytes != Self.bytes(CatalogGenerator(seed: 8, megabytes: 9)))
    }

    @Test(arguments: CatalogTable.allCases)
    func `a table has the rows that were told, and its columns`(table: CatalogTable) throws {
        let rows = Self.rows(table, of: Self.small)
        #expect(rows.count == Self.small.rowCount(table))
        let step = try #require(Self.small.steps.first { $0.table == table })
        guard case .copy(let sql, _) = step else { return }
        let columns = sql.split(separator: ",").count
        #expect(rows.allSatisfy { $0.count == columns })
    }

    @Test func `final_entities has 32 rows at every size`() {
        for megabytes in [1, 63, 1024, 8192] {
            let generator = CatalogGenerator(seed: 1, megabytes: megabytes)
            #expect(generator.rowCount(.finalEntities) == 32)
        }
    }

    @Test func `what refers to an entity refers to one that is there`() {
        let state = Self.rows(.refreshState, of: Self.small)
        let ids = Set(state.map { $0[0] })
        let refs = Set(state.map { $0[1] })
        #expect(ids.count == state.count && refs.count == state.count)
        for relation in Self.rows(.relations, of: Self.small) {
            #expect(ids.contains(relation[0]))
            #expect(refs.contains(relation[1]) && refs.contains(relation[3]))
        }
        for table in [CatalogTable.finalEntities, .search, .refreshKeys] {
            #expect(Self.rows(table, of: Self.small).allSatisfy { ids.contains($0[0]) })
        }
        #expect(Self.rows(.stitchQueue, of: Self.small).allSatisfy { refs.contains($0[0]) })
        #expect(
            Self.rows(.refreshStateReferences, of: Self.small).allSatisfy { refs.contains($0[2]) }
        )
    }

    @Test func `a piece is bounded, and ends with a row`() {
        for case .copy(_, let rows) in CatalogGenerator(seed: 1, megabytes: 12).steps {
            for piece in rows {
                #expect(piece.count < 80 << 10)
                #expect(piece.last == UInt8(ascii: "\n"))
            }
        }
    }

    @Test func `nothing needs to be escaped`() {
        for table in CatalogTable.allCases {
            for row in Self.rows(table, of: Self.small) {
                #expect(row.allSatisfy { !$0.contains("\\") || $0 == "\\N" })
            }
        }
    }

    @Test func `a catalog grows with what was asked for`() {
        let sizes = [63, 1024, 8192].map { CatalogGenerator(seed: 1, megabytes: $0).entityCount }
        #expect(sizes[1] > 15 * sizes[0] && sizes[2] > 7 * sizes[1])
    }
}
