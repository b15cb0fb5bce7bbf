import PostgresWire

/// The settings that drivers ask for.
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
}
