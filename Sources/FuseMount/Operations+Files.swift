import CFuse
import Glibc
import Oxbow
import Primitives
import Volume

/// What the kernel asks of one file.
extension Session {
    func attributes(_ request: Request, _ node: NodeID) throws(Refusal) {
        if node == .top { return request.reply(Session.top, node) }
        let tree = try trees.tree(node)
        if let removed = tree.removedFolder(node.number) { return request.reply(removed, node) }
        let found = try volume { () throws(VolumeError) in
            try tree.files.attributes(of: node.number)
        }
        request.reply(found, node)
    }

    func change(
        _ request: Request,
        _ node: NodeID,
        _ wanted: stat,
        _ mask: Int32
    ) throws(Refusal) {
        guard node != .top else { throw Refusal(EPERM) }
        let tree = try trees.tree(node)
        let files = try tree.writable()
        var change = AttributeChange()
        if mask & FUSE_SET_ATTR_MODE != 0 {
            change.permissions = UInt16(wanted.st_mode & 0o7777)
        }
        if mask & FUSE_SET_ATTR_UID != 0 { change.owner = wanted.st_uid }
        if mask & FUSE_SET_ATTR_GID != 0 { change.group = wanted.st_gid }
        if mask & FUSE_SET_ATTR_SIZE != 0 {
            guard wanted.st_size >= 0 else { throw Refusal(EINVAL) }
            change.size = UInt64(wanted.st_size)
        }
        if mask & FUSE_SET_ATTR_ATIME_NOW != 0 {
            change.accessed = .now
        } else if mask & FUSE_SET_ATTR_ATIME != 0 {
            change.accessed = .at(wanted.st_atim.nanoseconds)
        }
        if mask & FUSE_SET_ATTR_MTIME_NOW != 0 {
            change.modified = .now
        } else if mask & FUSE_SET_ATTR_MTIME != 0 {
            change.modified = .at(wanted.st_mtim.nanoseconds)
        }
        let after = try volume { () throws(VolumeError) in
            try files.change(node.number, change)
        }
        request.reply(after, node)
    }

    func target(_ request: Request, _ node: NodeID) throws(Refusal) {
        guard node != .top else { throw Refusal(EINVAL) }
        let tree = try trees.tree(node)
        let target = try volume { () throws(VolumeError) in
            try tree.files.target(of: node.number)
        }
        let text = (target + [0]).map { CChar(bitPattern: $0) }
        _ = unsafe text.withUnsafeBufferPointer {
            unsafe fuse_reply_readlink(request.raw, $0.baseAddress)
        }
    }

    func open(_ node: NodeID, flags: Int32) throws(Refusal) -> OpenHandle {
        guard node != .top else { throw Refusal(EISDIR) }
        let tree = try trees.tree(node)
        switch tree.content {
        case .branch(let files):
            let file = try volume { () throws(VolumeError) in try files.openFile(node.number) }
            return OpenHandle(tree, node.number, file, flags: flags)
        case .past:
            guard flags & O_ACCMODE == O_RDONLY else { throw Refusal(EROFS) }
            return OpenHandle(tree, node.number, nil, flags: flags)
        }
    }

    func read(_ request: Request, _ handle: UInt64, _ count: Int, at offset: Int) throws(Refusal) {
        guard let open = OpenHandle.at(handle), offset >= 0 else { throw Refusal(EBADF) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { unsafe buffer.deallocate() }
        let filled = try volume { () throws(VolumeError) in
            if let file = open.file {
                return try unsafe file.read(at: UInt64(offset), into: buffer)
            }
            return try unsafe open.tree.files.read(open.number, at: UInt64(offset), into: buffer)
        }
        _ = unsafe fuse_reply_buf(
            request.raw,
            buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
            filled
        )
    }

    func write(
        _ request: Request,
        _ handle: UInt64,
        _ bytes: UnsafeRawBufferPointer,
        at offset: Int
    ) throws(Refusal) {
        guard offset >= 0, let open = OpenHandle.at(handle), let file = open.file else {
            throw Refusal(EBADF)
        }
        try volume { () throws(VolumeError) in
            try unsafe file.write(bytes, at: UInt64(offset))
            if open.syncsWrites { try file.sync(dataOnly: !open.syncsTimes) }
        }
        _ = unsafe fuse_reply_write(request.raw, bytes.count)
    }

    func sync(_ request: Request, _ handle: UInt64, dataOnly: Bool) throws(Refusal) {
        if let file = OpenHandle.at(handle)?.file {
            try volume { () throws(VolumeError) in try file.sync(dataOnly: dataOnly) }
        }
        request.done()
    }

    func allocate(
        _ request: Request,
        _ handle: UInt64,
        _ mode: Int32,
        _ offset: Int,
        _ count: Int
    ) throws(Refusal) {
        guard let file = OpenHandle.at(handle)?.file else { throw Refusal(EBADF) }
        guard offset >= 0, count > 0 else { throw Refusal(EINVAL) }
        let range = UInt64(offset)..<UInt64(offset) + UInt64(count)
        let keeps = mode & FALLOC_FL_KEEP_SIZE != 0
        switch mode & ~FALLOC_FL_KEEP_SIZE {
        case 0:
            try volume { () throws(VolumeError) in
                try file.reserve(range, keepingSize: keeps)
            }
        case FALLOC_FL_PUNCH_HOLE where keeps:
            try volume { () throws(VolumeError) in try file.clear(range) }
        case FALLOC_FL_ZERO_RANGE:
            try volume { () throws(VolumeError) in try file.clear(range, lengthening: !keeps) }
        default: throw Refusal(EOPNOTSUPP)
        }
        request.done()
    }

    func seek(
        _ request: Request,
        _ node: NodeID,
        _ offset: Int,
        _ whence: Int32
    ) throws(Refusal) {
        let tree = try trees.tree(node)
        guard offset >= 0 else { throw Refusal(ENXIO) }
        let target: SeekTarget
        switch whence {
        case SEEK_DATA: target = .data
        case SEEK_HOLE: target = .hole
        default: throw Refusal(EINVAL)
        }
        let found = try volume { () throws(VolumeError) in
            try tree.files.seek(target, in: node.number, from: UInt64(offset))
        }
        guard let found else { throw Refusal(ENXIO) }
        _ = unsafe fuse_reply_lseek(request.raw, Int(found))
    }
}

extension Session {
    func syncFolder(_ request: Request, _ node: NodeID) throws(Refusal) {
        if node != .top, case .branch(let files) = try trees.tree(node).content {
            try volume { () throws(VolumeError) in try files.sync() }
        }
        request.done()
    }

    func space(_ request: Request) throws(Refusal) {
        guard let space = try? store.space() else { throw Refusal(EIO) }
        var status = statvfs()
        status.f_bsize = 8192
        status.f_frsize = 8192
        status.f_blocks = UInt(space.total / 8192)
        status.f_bfree = UInt(space.available / 8192)
        status.f_bavail = status.f_bfree
        // As many as there is room for.
        status.f_files = status.f_blocks
        status.f_ffree = status.f_bfree
        status.f_favail = status.f_bfree
        status.f_namemax = UInt(VolumeLimits.nameBytes)
        _ = unsafe fuse_reply_statfs(request.raw, &status)
    }
}
