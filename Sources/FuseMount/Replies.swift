import CFuse
import Glibc
import Volume

/// A request of the kernel, to be answered once.
@safe
struct Request {
    let raw: fuse_req_t

    func refuse(_ errorNumber: Int32) { _ = unsafe fuse_reply_err(raw, errorNumber) }
    func done() { _ = unsafe fuse_reply_err(raw, 0) }

    /// Who asks.
    var owner: (user: UInt32, group: UInt32) {
        guard let context = unsafe fuse_req_ctx(raw) else { return (0, 0) }
        return unsafe (context.pointee.uid, context.pointee.gid)
    }

    func reply(_ attributes: Attributes, _ node: NodeID) {
        var status = stat(attributes, node)
        _ = unsafe fuse_reply_attr(raw, &status, Self.forever)
    }

    /// Tells of a file, which the kernel then knows until it forgets it.
    func reply(entry node: NodeID, _ attributes: Attributes, seconds: Double = Self.forever) {
        var entry = Self.entry(node, attributes, seconds: seconds)
        _ = unsafe fuse_reply_entry(raw, &entry)
    }

    static func entry(
        _ node: NodeID,
        _ attributes: Attributes,
        seconds: Double
    ) -> fuse_entry_param {
        var entry = fuse_entry_param()
        entry.ino = node.rawValue
        entry.generation = 1
        entry.attr = stat(attributes, node)
        entry.attr_timeout = forever
        entry.entry_timeout = seconds
        return entry
    }

    /// Files change through the mount, or the kernel is told.
    static let forever = 86_400.0
}

/// Attributes in the kernel's form.
func stat(_ attributes: Attributes, _ node: NodeID) -> stat {
    var status = Glibc.stat()
    status.st_ino = UInt(node.rawValue)
    status.st_mode = attributes.kind.modeBits | UInt32(attributes.permissions)
    status.st_nlink = UInt(attributes.linkCount)
    status.st_uid = attributes.owner
    status.st_gid = attributes.group
    status.st_rdev = UInt(attributes.device)
    status.st_size = Int(attributes.size)
    status.st_blksize = 8192
    status.st_blocks = Int(attributes.pageCount) * 16
    status.st_atim = timespec(attributes.accessed)
    status.st_mtim = timespec(attributes.modified)
    status.st_ctim = timespec(attributes.changed)
    return status
}

private func timespec(_ nanoseconds: Int64) -> timespec {
    var time = Glibc.timespec()
    let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    time.tv_sec = Int(remainder < 0 ? quotient - 1 : quotient)
    time.tv_nsec = Int(remainder < 0 ? remainder + 1_000_000_000 : remainder)
    return time
}

extension timespec {
    /// Nanoseconds since 1970, as far as they can be told.
    var nanoseconds: Int64 {
        let (seconds, overflow) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return tv_sec < 0 ? .min : .max }
        let (sum, isOver) = seconds.addingReportingOverflow(Int64(tv_nsec))
        return isOver ? .max : sum
    }
}

extension FileKind {
    var modeBits: UInt32 {
        switch self {
        case .file: S_IFREG
        case .folder: S_IFDIR
        case .link: S_IFLNK
        case .pipe: S_IFIFO
        case .socket: S_IFSOCK
        case .characterDevice: S_IFCHR
        case .blockDevice: S_IFBLK
        }
    }

    init?(mode: UInt32) {
        guard let kind = Self.allCases.first(where: { $0.modeBits == mode & S_IFMT }) else {
            return nil
        }
        self = kind
    }
}
