/// Which parameters a client may begin its session with.
///
/// A start-up parameter sets what `SET` could set a moment later, by the same user in the same
/// session, and nothing of the front's runs in that session. So settings pass as a rule. What
/// cannot be set later, and what a walsender takes, is refused.
package enum StartupPolicy: Hashable, Sendable {
    /// Any setting but those that can only be set at the start of a session.
    case ordinary
    /// These alone, in small letters.
    case listed(Set<String>)

    /// What drivers send.
    package static let usual: Set<String> = [
        "application_name", "bytea_output", "client_encoding", "client_min_messages", "datestyle",
        "default_transaction_isolation", "default_transaction_read_only",
        "extra_float_digits", "geqo", "idle_in_transaction_session_timeout", "intervalstyle",
        "jit", "lock_timeout", "search_path", "standard_conforming_strings", "statement_timeout",
        "timezone",
    ]

    /// What cannot be set once a session runs, and so is more than what SQL could do.
    static let onlyAtStart: Set<String> = [
        "ignore_system_indexes", "jit_debugging_support", "jit_profiling_support",
        "local_preload_libraries", "log_connections", "log_disconnections", "post_auth_delay",
        "session_preload_libraries",
    ]

    func check(_ name: String) throws(WireError) {
        switch self {
        case .ordinary where !Self.onlyAtStart.contains(name): return
        case .listed(let names) where names.contains(name): return
        default:
            throw WireError(
                .insufficientPrivilege,
                "parameter \"\(name)\" cannot be set when a connection begins"
            )
        }
    }
}
