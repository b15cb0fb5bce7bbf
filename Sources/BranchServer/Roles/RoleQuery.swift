import PostgresWire

/// The question for the roles of a PostgreSQL, and its answer.
///
/// First it is asked whether somebody is about to change them, then for them, each as it is by
/// then. A transaction that changes roles keeps its lock on `pg_authid` until what it did can be
/// seen: so where nobody had one, what was written to the branch's log before the question is in
/// the answer, and the answer holds until more is written. One that is prepared changes nothing
/// until a record of its own says so. Last it is asked how far PostgreSQL's log is written down,
/// and how far it goes: with `synchronous_commit = off` a change can be seen before it is written.
/// Where there is more than is written, a record that says nothing is committed, so that all of it
/// is written when the answer is whole. At rest it could stay unwritten for ever.
struct RoleQuery: Equatable {
    let list: RoleList
    /// Whether nobody was about to change them.
    let isSettled: Bool
    /// Up to where PostgreSQL's log is written down, or was read where it only reads it.
    let written: UInt64
    /// How much of it may be in the answer.
    let reach: UInt64

    /// Times that a date has four digits for; what is after those never comes.
    static let sql = """
        SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'relation'
            AND relation = 'pg_catalog.pg_authid'::regclass AND mode <> 'AccessShareLock'
            AND pid IS NOT NULL);
        SELECT rolname, rolcanlogin, rolpassword, CASE
                WHEN rolvaliduntil > '9999-01-01T00:00:00Z' THEN NULL
                WHEN rolvaliduntil < '1970-01-01T00:00:00Z' THEN 0
                ELSE (extract(epoch FROM rolvaliduntil) * 1000000)::bigint
            END, rolsuper
        FROM pg_catalog.pg_authid LIMIT \(RoleLimits.roles + 1);
        SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn,
            CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                WHEN pg_current_wal_insert_lsn() <= pg_current_wal_flush_lsn()
                THEN pg_current_wal_flush_lsn()
                WHEN set_config('synchronous_commit', 'local', true) = 'local'
                THEN pg_logical_emit_message(true, 'oxbow', ''::text)
            END - '0/0'::pg_lsn
        """

    static let limits = ProbeLimits(
        rows: RoleLimits.roles + 2,
        bytes: RoleLimits.answerBytes,
        seconds: RoleLimits.answerSeconds
    )

    init(_ rows: ProbeRows) throws(ProbeFailure) {
        guard rows.count >= 2, let first = rows.first, first.count == 1,
            let last = rows.last, last.count == 2
        else {
            throw .failed("it says something else than was asked")
        }
        isSettled = first[0] == Array("f".utf8)
        var roles: [Role] = []
        let places = last.map { place in
            place.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
        }
        written = places[0] ?? 0
        reach = places[1] ?? .max
        for row in rows.dropFirst().dropLast() { roles.append(try Self.role(row)) }
        guard let list = RoleList(roles) else {
            throw .failed("it has names of roles that are none")
        }
        self.list = list
    }

    private static func role(_ row: [[UInt8]?]) throws(ProbeFailure) -> Role {
        guard row.count == 5, let name = row[0], let mayLogIn = row[1], let isSuper = row[4] else {
            throw .failed("it says something else than was asked")
        }
        var validUntil: Int64?
        if let digits = row[3] {
            guard let number = Int64(String(decoding: digits, as: UTF8.self)) else {
                throw .failed("it says a time that is none")
            }
            validUntil = number
        }
        return Role(
            name: WireString(name),
            mayLogIn: mayLogIn == Array("t".utf8),
            isSuperuser: isSuper == Array("t".utf8),
            validUntil: validUntil,
            password: password(row[2])
        )
    }

    private static func password(_ text: [UInt8]?) -> Role.Password {
        guard let text else { return .none }
        guard text.count <= RoleLimits.verifierBytes,
            let verifier = SCRAMVerifier(String(decoding: text, as: UTF8.self))
        else { return .other }
        return .scram(verifier)
    }
}

/// What others say, for a log.
enum RoleText {
    /// In one line of letters that can be seen, and not too long.
    static func shown(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes.prefix(500), as: UTF8.self)
        return String(
            text.unicodeScalars.prefix(200).map { scalar in
                scalar.properties.isWhitespace
                    ? " "
                    : scalar.properties.generalCategory == .control
                        || scalar.properties.generalCategory == .format
                        ? "\u{FFFD}" : Character(scalar)
            }
        )
    }
}
