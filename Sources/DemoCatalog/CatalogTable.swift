/// The tables, in the order in which they are made.
package enum CatalogTable: String, CaseIterable, Sendable {
    case refreshState = "refresh_state"
    case refreshStateReferences = "refresh_state_references"
    case finalEntities = "final_entities"
    case relations
    case search
    case locations
    case refreshKeys = "refresh_keys"
    case stitchQueue = "stitch_queue"
    case documents
    case migrations = "knex_migrations"

    var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// The columns that are copied in.
    var columns: String {
        switch self {
        case .refreshState:
            "entity_id, entity_ref, unprocessed_entity, unprocessed_hash, processed_entity, "
                + "result_hash, cache, next_update_at, last_discovery_at, errors, location_key"
        case .refreshStateReferences: "source_key, source_entity_ref, target_entity_ref"
        case .finalEntities:
            "entity_id, entity_ref, hash, stitch_ticket, final_entity, last_updated_at"
        case .relations: "originating_entity_id, source_entity_ref, type, target_entity_ref"
        case .search: "entity_id, key, value, original_value"
        case .locations: "id, type, target"
        case .refreshKeys: "entity_id, key"
        case .stitchQueue: "entity_ref, stitch_ticket, next_stitch_at"
        case .documents: "type, document"
        case .migrations: "name, batch, migration_time"
        }
    }

    /// The statement that makes it, without what is added when its rows are there.
    var definition: String {
        switch self {
        case .refreshState:
            """
            CREATE TABLE refresh_state (entity_id text PRIMARY KEY, entity_ref text NOT NULL,
              unprocessed_entity text NOT NULL, unprocessed_hash text, processed_entity text,
              result_hash text, cache text, next_update_at timestamptz NOT NULL,
              last_discovery_at timestamptz NOT NULL, errors text NOT NULL, location_key text)
            """
        case .refreshStateReferences:
            """
            CREATE TABLE refresh_state_references (id bigserial PRIMARY KEY, source_key text,
              source_entity_ref text, target_entity_ref text NOT NULL)
            """
        case .finalEntities:
            """
            CREATE TABLE final_entities (entity_id text PRIMARY KEY, entity_ref text NOT NULL,
              hash text NOT NULL, stitch_ticket text NOT NULL, final_entity text,
              last_updated_at timestamptz)
            """
        case .relations:
            """
            CREATE TABLE relations (originating_entity_id text NOT NULL,
              source_entity_ref text NOT NULL, type text NOT NULL, target_entity_ref text NOT NULL)
            """
        case .search:
            """
            CREATE TABLE search (entity_id text NOT NULL, key text NOT NULL, value text,
              original_value text)
            """
        case .locations:
            "CREATE TABLE locations (id uuid PRIMARY KEY, type text NOT NULL, target text NOT NULL)"
        case .refreshKeys: "CREATE TABLE refresh_keys (entity_id text NOT NULL, key text NOT NULL)"
        case .stitchQueue:
            """
            CREATE TABLE stitch_queue (entity_ref text PRIMARY KEY, stitch_ticket text NOT NULL,
              next_stitch_at timestamptz NOT NULL)
            """
        case .documents:
            """
            CREATE TABLE documents (type text NOT NULL, document jsonb NOT NULL,
              body tsvector NOT NULL GENERATED ALWAYS AS (
                setweight(to_tsvector('english', document->>'title'), 'A')
                || setweight(to_tsvector('english', document->>'text'), 'B')
                || setweight(to_tsvector('english',
                  document - 'title' - 'text' - 'location' - 'authorization'), 'C')) STORED)
            """
        case .migrations:
            """
            CREATE TABLE knex_migrations (id serial PRIMARY KEY, name text, batch integer,
              migration_time timestamptz)
            """
        }
    }

    /// Indexes and what refers to other tables, for when the rows are there.
    var indexes: [String] {
        switch self {
        case .refreshState:
            [
                "CREATE UNIQUE INDEX refresh_state_entity_ref_uniq ON refresh_state (entity_ref)",
                "CREATE INDEX refresh_state_next_update_at_idx ON refresh_state (next_update_at)",
            ]
        case .refreshStateReferences:
            [
                index("source_key"), index("source_entity_ref"), index("target_entity_ref"),
                "ALTER TABLE refresh_state_references ADD FOREIGN KEY (target_entity_ref) "
                    + "REFERENCES refresh_state (entity_ref) ON DELETE CASCADE",
            ]
        case .finalEntities: [index("entity_ref"), refers("entity_id")]
        case .relations:
            [
                index("source_entity_ref"), index("originating_entity_id"),
                refers("originating_entity_id"),
            ]
        case .search: [index("entity_id"), index("key, value"), refers("entity_id")]
        case .locations, .stitchQueue, .migrations: []
        case .refreshKeys: [index("entity_id"), index("key"), refers("entity_id")]
        case .documents:
            [index("type"), "CREATE INDEX documents_body_idx ON documents USING gin (body)"]
        }
    }

    private func index(_ columns: String) -> String {
        let name = columns.split(separator: ", ").joined(separator: "_")
        return "CREATE INDEX \(rawValue)_\(name)_idx ON \(rawValue) (\(columns))"
    }

    private func refers(_ column: String) -> String {
        "ALTER TABLE \(rawValue) ADD FOREIGN KEY (\(column)) "
            + "REFERENCES refresh_state (entity_id) ON DELETE CASCADE"
    }
}
