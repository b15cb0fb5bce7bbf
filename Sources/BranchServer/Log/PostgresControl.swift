package import Primitives

/// What is needed of the control file of a cluster, `global/pg_control`. The first bytes are the
/// same in all versions from 13 on:
///
///     0  u64  the cluster            32  u64  the last checkpoint's record
///     8  u32  version, 1300 and up   40  u64  from where on that has to be redone
///    12  u32  of the catalog         48  u32  its timeline
///    16  u32  the state, 6 while a server runs
///
/// Its checksum follows what it holds, which is more in some versions. The versions 13 to 18 have
/// these in it, too:
///
///     136  u64  the point that recovery has to reach, 0 where it is the end of the log
///     144  u32  the timeline of that point; stays after a promotion until the next checkpoint
///     152  u64  where a backup began, and at 160 where it ended, 0 where none is being recovered
///     168  u8   whether the log has to tell where the backup ended
///     172  i32  wal_level, 0 to 2          188  i32  max_wal_senders
///     180  i32  max_connections            192  i32  max_prepared_xacts
///     184  i32  max_worker_processes       196  i32  max_locks_per_xact
///     228  u32  the size of a file of the log
///     252  u32  the version of data checksums, 0 for none
///     288  u32  CRC-32C of all before it; in version 18 at 292
package struct PostgresControl: Equatable, Sendable {
    package let cluster: UInt64
    package let checkpoint: UInt64
    /// From where on the log is to be redone after a crash.
    package let redo: UInt64
    /// The timeline that a start goes on with: the last checkpoint's, or after a promotion that no
    /// checkpoint followed yet, the promotion's.
    package let timeline: UInt32
    /// Whether it was written by a server that ran, and so says nothing of how that ended.
    package let isRunning: Bool
    /// The settings by the names that `pg_controldata` has for them; nil where the form is another.
    package let settings: [String: String]?

    package static let fileBytes = 8192
    private static let versions: ClosedRange<UInt32> = 1300...9999
    private static let checksumOffsets = 64..<512
    private static let inProduction: UInt32 = 6

    /// Where the checksum is in the forms that are known beyond their first bytes.
    private static let knownForms: [UInt32: Int] = [1300: 288, 1800: 292]
    private static let levels = ["minimal", "replica", "logical"]

    package init(decoding bytes: [UInt8]) throws(Malformed) {
        var reader = ByteReader(bytes)
        cluster = try reader.fixed("cluster")
        let version = try reader.fixed("version", as: UInt32.self)
        guard Self.versions.contains(version) else {
            throw Malformed("a control file of version \(version), not 1300 or newer", at: 8)
        }
        _ = try reader.raw(4, "catalog")
        isRunning = try reader.fixed("state", as: UInt32.self) == Self.inProduction
        _ = try reader.raw(12, "time")
        checkpoint = try reader.fixed("checkpoint")
        redo = try reader.fixed("redo")
        let ofCheckpoint = try reader.fixed("timeline", as: UInt32.self)
        guard redo <= checkpoint, ofCheckpoint > 0 else { throw Malformed("checkpoint", at: 32) }
        let checksumOffset = try Self.checksumOffset(bytes)
        let isKnown = Self.knownForms[version] == checksumOffset
        timeline = isKnown ? max(ofCheckpoint, Self.number(bytes, 144)) : ofCheckpoint
        settings = isKnown ? Self.settings(bytes) : nil
    }

    /// Where the checksum stands that fits all before it.
    private static func checksumOffset(_ bytes: [UInt8]) throws(Malformed) -> Int {
        var sum = WALChecksum()
        sum.add(bytes.prefix(checksumOffsets.lowerBound))
        for end in stride(from: checksumOffsets.lowerBound, to: checksumOffsets.upperBound, by: 4) {
            guard bytes.count >= end + 4 else { break }
            if number(bytes, end) == sum.value { return end }
            sum.add(bytes[end..<end + 4])
        }
        throw Malformed(
            "a control file whose checksum does not fit",
            at: checksumOffsets.lowerBound
        )
    }

    private static func settings(_ bytes: [UInt8]) -> [String: String] {
        [
            "Minimum recovery ending location": position(bytes, 136),
            "Backup start location": position(bytes, 152),
            "Backup end location": position(bytes, 160),
            "End-of-backup record required": bytes[168] == 0 ? "no" : "yes",
            "wal_level setting": levels[Int(min(number(bytes, 172), 2))],
            "max_connections setting": "\(number(bytes, 180))",
            "max_worker_processes setting": "\(number(bytes, 184))",
            "max_wal_senders setting": "\(number(bytes, 188))",
            "max_prepared_xacts setting": "\(number(bytes, 192))",
            "max_locks_per_xact setting": "\(number(bytes, 196))",
            "Bytes per WAL segment": "\(number(bytes, 228))",
            "Data page checksum version": "\(number(bytes, 252))",
        ]
    }

    private static func position(_ bytes: [UInt8], _ offset: Int) -> String {
        let value = UInt64(number(bytes, offset + 4)) << 32 | UInt64(number(bytes, offset))
        return "\(WALPosition(rawValue: value))"
    }

    private static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
