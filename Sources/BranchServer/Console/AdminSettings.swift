import PostgresWire

/// The settings that drivers ask for and set: of others it is better to say that they are none.
enum AdminSettings {
    /// What is shown of them: nothing can be changed.
    static let shown: [String: String] = {
        var all = Dictionary(
            AdminSession.parameters.map { ($0.name.text.lowercased(), $0.value.text) }
        ) { first, _ in first }
        all["server_version_num"] = "150000"
        for name in ["transaction_isolation", "default_transaction_isolation"] {
            all[name] = "read committed"
        }
        for name in [
            "transaction_read_only", "default_transaction_read_only", "transaction_deferrable",
            "default_transaction_deferrable", "in_hot_standby",
        ] { all[name] = "off" }
        all["search_path"] = "public"
        all["max_identifier_length"] = "63"
        return all
    }()

    /// Those that may be set.
    static let taken = Set(shown.keys).union([
        "bytea_output", "check_function_bodies", "client_min_messages", "escape_string_warning",
        "extra_float_digits", "idle_in_transaction_session_timeout", "idle_session_timeout",
        "jit", "lc_messages", "lc_monetary", "lc_numeric", "lc_time", "lock_timeout",
        "row_security", "statement_timeout", "synchronize_seqscans", "transaction_timeout",
        "xmloption",
    ])

    /// What has a form of its own, by how that begins.
    static let phrases = [
        ["time", "zone"], ["transaction"], ["characteristics", "as", "transaction"],
        ["authorization"], ["session", "authorization"], ["role"], ["names"], ["constraints"],
    ]
}
