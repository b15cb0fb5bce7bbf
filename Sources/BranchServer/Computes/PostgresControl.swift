import Primitives

/// What the control file of a cluster, `global/pg_control`, says of settings, for the versions 13
/// to 16, which write it in one form:
///
///     8    u32  its version, 1300            188  i32  max_wal_senders
///     172  i32  wal_level, 0 to 2
///     180  i32  max_connections              192  i32  max_prepared_xacts
///     184  i32  max_worker_processes         196  i32  max_locks_per_xact
///     252  u32  the version of data checksums, 0 for none
///     288  u32  CRC-32C of all before it
package enum PostgresControl {
    private static let version: UInt32 = 1300
    private static let checksumOffset = 288

    /// The settings by the names that `pg_controldata` has for them; nil where the form is another.
    package static func settings(_ bytes: [UInt8]) -> [String: String]? {
        func number(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
        }
        guard bytes.count >= checksumOffset + 4, number(8) == version else { return nil }
        var sum = WALChecksum()
        sum.add(bytes[..<checksumOffset])
        guard sum.value == number(checksumOffset) else { return nil }
        let levels = ["minimal", "replica", "logical"]
        return [
            "wal_level setting": levels[Int(min(number(172), 2))],
            "max_connections setting": "\(number(180))",
            "max_worker_processes setting": "\(number(184))",
            "max_wal_senders setting": "\(number(188))",
            "max_prepared_xacts setting": "\(number(192))",
            "max_locks_per_xact setting": "\(number(196))",
            "Data page checksum version": "\(number(252))",
        ]
    }
}
