import Primitives

/// What a compute said of the roles, and what it is known by that nothing has changed them since:
/// the log, of this branch or of a fork, that shows no change of what databases share.
///
/// In the branch's file the mark stands behind the list, where other versions see nothing:
///
///     0       "OXBSINCE"
///     8  u64  the cluster
///    16  u64  position and
///    24  u64  end of the log's last whole record before the question, and
///    32  u64  how far a log must reach that has all of what was said
///    40  u32  that record's checksum
struct Testimony: Equatable {
    let list: RoleList
    let mark: WALMark
    /// What was said may have been of as much of the log.
    let reach: UInt64

    static let markBytes = 44
    private static let magic = Array("OXBSINCE".utf8)

    /// By the same list, what a log says that shows no change; nil where it may have one.
    func renewed(by log: WALFiles) throws(WALError) -> Testimony? {
        try log.markIfSharedIsUnchanged(since: mark, reach: reach).map {
            Testimony(list: list, mark: $0, reach: $0.end)
        }
    }

    var encodedMark: [UInt8] {
        var writer = ByteWriter(capacity: Self.markBytes)
        writer.append(raw: Self.magic)
        for number in [mark.cluster, mark.position, mark.end, reach] {
            writer.append(fixed: number)
        }
        writer.append(fixed: mark.checksum)
        return writer.bytes
    }

    /// Nil where no mark stands there.
    init?(_ list: RoleList, mark bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(Array(bytes))
        guard let magic = try? reader.raw(8, "magic"), magic == Self.magic,
            let cluster: UInt64 = try? reader.fixed("cluster"),
            let position: UInt64 = try? reader.fixed("position"),
            let end: UInt64 = try? reader.fixed("end"),
            let reach: UInt64 = try? reader.fixed("reach"),
            let checksum: UInt32 = try? reader.fixed("checksum")
        else { return nil }
        self.init(
            list: list,
            mark: WALMark(cluster: cluster, position: position, end: end, checksum: checksum),
            reach: reach
        )
    }

    init(list: RoleList, mark: WALMark, reach: UInt64) {
        self.list = list
        self.mark = mark
        self.reach = reach
    }
}
