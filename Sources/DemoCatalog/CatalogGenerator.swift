import Primitives

/// Makes the catalog of a company's services, in the tables of Backstage: entities as JSON, what
/// relates them, what makes them searchable, and documents with a full-text index.
///
///     for step in CatalogGenerator(seed: 1, megabytes: 63).steps {
///         switch step {
///         case .statement(let sql): try session.run(sql)
///         case .copy(let sql, let rows): try session.copy(sql, rows)
///         }
///     }
package struct CatalogGenerator: Sendable {
    package let seed: UInt64
    /// What `pg_database_size` will say, in MiB.
    package let megabytes: Int
    /// How many entities the catalog has.
    package let entityCount: Int

    /// The size of the published experiment's catalog.
    package static let publishedMegabytes = 63
    /// The number of rows in `final_entities`, whatever the size.
    package static let finalEntityCount = 32

    /// What a database without the catalog takes, in KiB, with its tables' smallest sizes.
    private static let emptyKibibytes = 7_800
    /// What an entity takes in all tables and indexes together, in bytes.
    private static let entityBytes = 8_090

    package init(seed: UInt64, megabytes: Int = publishedMegabytes) {
        invariant(megabytes > 0 && megabytes <= 1 << 20, "a catalog of \(megabytes) MiB")
        self.seed = seed
        self.megabytes = megabytes
        let kibibytes = max(megabytes * 1024 - Self.emptyKibibytes, 0)
        entityCount = max(kibibytes * 1024 / Self.entityBytes, 64)
    }

    /// How many rows a table has.
    package func rowCount(_ table: CatalogTable) -> Int {
        switch table {
        case .refreshState, .refreshStateReferences: entityCount
        case .finalEntities: Self.finalEntityCount
        case .relations: entityCount * CatalogEntity.relationCount
        case .search: entityCount * CatalogEntity.searchCount
        case .locations: (entityCount + 3) / 4
        case .refreshKeys: entityCount * 2
        case .stitchQueue: 8
        case .documents: entityCount
        case .migrations: 12
        }
    }

    /// What makes the catalog in an empty database: tables, rows, indexes, statistics.
    package var steps: [CatalogStep] {
        CatalogTable.allCases.map { CatalogStep.statement($0.definition) }
            + CatalogTable.allCases.map { table in
                .copy(
                    "COPY \(table.rawValue) (\(table.columns)) FROM STDIN",
                    CatalogRows(table, count: rowCount(table), of: self)
                )
            }
            + CatalogTable.allCases.flatMap(\.indexes).map { .statement($0) }
            + [.statement("VACUUM (ANALYZE)")]
    }

    /// The same, for psql.
    package var script: CatalogScript { CatalogScript(steps) }

    /// The numbers that a row is drawn from.
    func draws(_ table: CatalogTable, _ number: Int) -> SeededRandom {
        draws(UInt64(table.place), number)
    }

    func draws(_ purpose: UInt64, _ number: Int) -> SeededRandom {
        // Mixed once more, since neighbouring seeds of the generator overlap.
        var mixed = SeededRandom(seed: seed &+ purpose &* 0xD6E8_FEB8_6659_FD93)
        return SeededRandom(seed: mixed.next() ^ UInt64(number) &* 0xA076_1D64_78BD_642F)
    }

    func entity(_ number: Int) -> CatalogEntity { CatalogEntity(number, of: self) }
}
