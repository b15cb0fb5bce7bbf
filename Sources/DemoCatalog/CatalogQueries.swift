/// What the experiment does with a catalog.
package enum CatalogQueries {
    /// How many rows `final_entities` has: 32, until somebody empties it.
    package static let countFinal = "SELECT count(*) FROM final_entities"

    /// A search as the search engine on PostgreSQL of Backstage asks it: each word, also as the
    /// beginning of one, ranked, with what was found marked.
    package static func search(_ words: [String], limit: Int = 25) -> String {
        let term = words.map { "(\"\($0)\" | \"\($0)\":*)" }.joined(separator: " & ")
        return """
            SELECT type, document, ts_rank_cd(body, query) AS rank,
              ts_headline('english', document, query, 'MaxWords=35, MinWords=15, ShortWord=3, \
            HighlightAll=FALSE, MaxFragments=0, StartSel=<b>, StopSel=</b>') AS highlight
            FROM documents, to_tsquery('english', '\(term)') query
            WHERE query @@ body AND type IN ('software-catalog', 'techdocs')
            ORDER BY rank DESC LIMIT \(limit + 1)
            """
    }

    /// A migration that nobody would try on production first: it rewrites a table, makes an index
    /// and drops what was there.
    package static let riskyMigration = [
        "ALTER TABLE relations ADD COLUMN id bigserial",
        "ALTER TABLE relations ALTER COLUMN id TYPE numeric",
        "CREATE INDEX relations_target_entity_ref_idx ON relations (target_entity_ref)",
        "UPDATE refresh_state SET errors = '[{\"migrated\":true}]' WHERE entity_ref LIKE 'a%'",
        "DROP TABLE refresh_keys",
    ]

    /// The accident.
    package static let emptyFinal = "DELETE FROM final_entities"
}
