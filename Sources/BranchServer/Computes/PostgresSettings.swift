import Primitives

/// How PostgreSQL is told to run on a branch. `docs/computes.md` has the reason for each.
package struct PostgresSettings: Sendable, Equatable {
    var version: Int
    var isMoment = false
    var isFork = false
    /// Whether it is a standby at first, and promoted when its log is redone.
    var promotes = false
    /// Whether pages go to PostgreSQL's log whole after a checkpoint.
    var writesFullPages = true
    var megabytes = 256
    /// How large a file of PostgreSQL's log is, which is said when a cluster is made.
    package var segmentMegabytes = 16
    /// What a standby must not have less of than the server that wrote its log.
    var floors: [String: String] = [:]

    package init(version: Int, writesFullPages: Bool = true) {
        self.version = version
        self.writesFullPages = writesFullPages
    }

    /// What no setting of the branch's may change: on the command line, above all files.
    package func forced(sockets: String, folder: String) -> [(name: String, value: String)] {
        var list: [(String, String)] = [
            ("config_file", folder + "/" + ComputePlace.settingsFile),
            ("hba_file", folder + "/hba.conf"),
            ("ident_file", folder + "/ident.conf"),
            ("listen_addresses", ""),
            ("port", "5432"),
            ("unix_socket_directories", sockets),
            ("unix_socket_permissions", "0700"),
            ("unix_socket_group", ""),
            ("ssl", "off"),
            ("fsync", "on"),
            ("data_sync_retry", "off"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
            ("lc_messages", "C"),
            ("archive_mode", "off"),
            ("archive_command", ""),
            ("restore_command", ""),
            ("primary_conninfo", ""),
            ("synchronous_standby_names", ""),
            ("wal_recycle", "off"),
            ("wal_init_zero", "off"),
            ("shared_buffers", "\(max(16, megabytes / 4))MB"),
            ("effective_cache_size", "\(max(32, megabytes / 2))MB"),
        ]
        if version >= 14 { list.append(("recovery_init_sync_method", "syncfs")) }
        if version >= 15 { list.append(("archive_library", "")) }
        if isFork || isMoment {
            list.append(("max_logical_replication_workers", "0"))
            list.append(("cron.launch_active_jobs", "off"))
        }
        if isMoment || promotes {
            for target in ["", "_lsn", "_name", "_time", "_xid"] {
                list.append(("recovery_target" + target, ""))
            }
            list.append(("recovery_target_timeline", "current"))
            list.append(("recovery_min_apply_delay", "0"))
            list.append(("recovery_end_command", ""))
            list.append(("archive_cleanup_command", ""))
            if version < 16 { list.append(("promote_trigger_file", "")) }
            if version >= 15 { list.append(("allow_in_place_tablespaces", "on")) }
        }
        if promotes { list.append(("hot_standby", "off")) }
        if isMoment {
            list.append(("hot_standby", "on"))
            list.append(("wal_level", "replica"))
            list.append(("lock_timeout", "10s"))
            list += floors.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        if writesFullPages { list.append(("full_page_writes", "on")) }
        return list
    }

    func arguments(data: String, sockets: String, folder: String) -> [String] {
        ["-D", data, "-c", "data_directory=\(data)"]
            + forced(sockets: sockets, folder: folder).flatMap { ["-c", "\($0.name)=\($0.value)"] }
    }

    /// The file that PostgreSQL takes for its `postgresql.conf`: what the branch may set
    /// otherwise, the branch's own, and last what a reload may change.
    package func file(data: String, fullPageWrites: Bool) -> String {
        // It does not start with room for less than two files of its log.
        let twoFiles = 2 * segmentMegabytes
        var lines = [
            "# Written at each start. The branch's own settings are in its data folder.",
            "min_wal_size = \(max(16, twoFiles))MB",
        ]
        if fullPageWrites {
            lines += ["max_wal_size = \(max(256, twoFiles))MB", "checkpoint_timeout = 5min"]
        } else {
            lines += [
                "max_wal_size = \(max(16, twoFiles))MB", "checkpoint_timeout = 1min",
                "checkpoint_completion_target = 0.5", "checkpoint_warning = 0",
            ]
        }
        lines += [
            "wal_sync_method = open_datasync", "wal_writer_delay = 10ms",
            "include_if_exists '\(Self.quoted(data))/postgresql.conf'",
            "full_page_writes = \(fullPageWrites ? "on" : "off")",
        ]
        return lines.map { $0 + "\n" }.joined()
    }

    static let hba = "local all all trust\nlocal replication all trust\n"

    /// What a new cluster's own `postgresql.conf` is: nothing that hides what the server sets.
    static let initial = """
        # Settings of this branch and its forks. Those of the server's that keep data safe stand
        # above these; SHOW tells what holds.
        timezone = 'UTC'
        log_timezone = 'UTC'
        lc_messages = 'C'
        lc_monetary = 'C.UTF-8'
        lc_numeric = 'C.UTF-8'
        lc_time = 'C.UTF-8'
        default_text_search_config = 'pg_catalog.english'

        """

    private static func quoted(_ text: String) -> String {
        text.replacing(marks: ["'": "''"])
    }

    /// What `pg_controldata` says of the size of a file of the log.
    package static func segmentMegabytes(_ control: [String: String]) -> Int? {
        control["Bytes per WAL segment"].flatMap { Int($0) }.map { $0 >> 20 }
    }

    /// What `pg_controldata` says of the server that wrote the log, as settings.
    package static func floors(_ control: [String: String]) -> [String: String] {
        let names = [
            "max_connections", "max_worker_processes", "max_wal_senders",
            "max_prepared_xacts", "max_locks_per_xact",
        ]
        let settings = [
            "max_prepared_xacts": "max_prepared_transactions",
            "max_locks_per_xact": "max_locks_per_transaction",
        ]
        var floors: [String: String] = [:]
        for name in names {
            if let value = control[name + " setting"] { floors[settings[name] ?? name] = value }
        }
        return floors
    }
}
