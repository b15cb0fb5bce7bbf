import CFuse
import Glibc

/// What the kernel's requests lead to.
extension Session {
    static var callbacks: fuse_lowlevel_ops {
        var calls = fuse_lowlevel_ops()
        addFiles(&calls)
        addContent(&calls)
        addNames(&calls)
        addLists(&calls)
        return calls
    }

    private static func addFiles(_ calls: inout fuse_lowlevel_ops) {
        unsafe calls.`init` = { _, connection in
            guard let connection = unsafe connection else { return }
            unsafe Session.configure(&connection.pointee)
        }
        unsafe calls.forget = { raw, node, count in
            unsafe Session.answer(raw) { session, request in
                session.forget(NodeID(rawValue: node), count)
                unsafe fuse_reply_none(request.raw)
            }
        }
        unsafe calls.forget_multi = { raw, count, all in
            unsafe Session.answer(raw) { session, request in
                for index in 0..<count {
                    guard let one = unsafe all?[index] else { continue }
                    session.forget(NodeID(rawValue: one.ino), one.nlookup)
                }
                unsafe fuse_reply_none(request.raw)
            }
        }
        unsafe calls.getattr = { raw, node, _ in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try session.attributes(request, NodeID(rawValue: node))
            }
        }
        unsafe calls.setattr = { raw, node, wanted, mask, _ in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                guard let wanted = unsafe wanted?.pointee else { throw Refusal(EINVAL) }
                try session.change(request, NodeID(rawValue: node), wanted, mask)
            }
        }
        unsafe calls.readlink = { raw, node in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try session.target(request, NodeID(rawValue: node))
            }
        }
        unsafe calls.statfs = { raw, _ in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try session.space(request)
            }
        }
    }

    /// Puts an open file into an answer, and what the kernel may keep of it.
    private func put(_ open: OpenHandle, _ info: UnsafeMutablePointer<fuse_file_info>) {
        unsafe info.pointee.fh = hold(open)
        switch open.cache {
        case .kept: unsafe oxbow_keep_cache(info)
        case .renewed: break
        case .none: unsafe oxbow_keep_nothing(info)
        }
    }

    private static func addContent(_ calls: inout fuse_lowlevel_ops) {
        unsafe calls.open = { raw, node, info in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                guard let info = unsafe info else { throw Refusal(EINVAL) }
                let flags = unsafe info.pointee.flags
                let open = try session.open(NodeID(rawValue: node), flags: flags)
                unsafe session.put(open, info)
                if unsafe fuse_reply_open(request.raw, info) < 0 {
                    // Who asked is gone, and will not close it.
                    unsafe session.letGo(info.pointee.fh)
                }
            }
        }
        unsafe calls.read = { raw, _, count, offset, info in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                guard let info = unsafe info else { throw Refusal(EINVAL) }
                try unsafe session.read(request, info.pointee.fh, count, at: offset)
            }
        }
        unsafe calls.write = { raw, _, bytes, count, offset, info in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                guard let info = unsafe info else { throw Refusal(EINVAL) }
                let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
                try unsafe session.write(request, info.pointee.fh, bytes, at: offset)
            }
        }
        unsafe calls.release = { raw, _, info in
            unsafe Session.answer(raw) { session, request in
                if let info = unsafe info { unsafe session.letGo(info.pointee.fh) }
                request.done()
            }
        }
        unsafe calls.fsync = { raw, _, dataOnly, info in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                guard let info = unsafe info else { throw Refusal(EINVAL) }
                try unsafe session.sync(request, info.pointee.fh, dataOnly: dataOnly != 0)
            }
        }
        unsafe calls.fallocate = { raw, _, mode, offset, count, info in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                guard let info = unsafe info else { throw Refusal(EINVAL) }
                try unsafe session.allocate(request, info.pointee.fh, mode, offset, count)
            }
        }
        unsafe calls.lseek = { raw, node, offset, whence, _ in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try session.seek(request, NodeID(rawValue: node), offset, whence)
            }
        }
    }

    private static func addNames(_ calls: inout fuse_lowlevel_ops) {
        unsafe calls.lookup = { raw, folder, name in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try unsafe session.lookUp(request, NodeID(rawValue: folder), name)
            }
        }
        unsafe calls.mknod = { raw, folder, name, mode, device in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try unsafe session.makeNode(
                    request,
                    NodeID(rawValue: folder),
                    name,
                    mode: mode,
                    device: UInt64(device)
                )
            }
        }
        unsafe calls.mkdir = { raw, folder, name, mode in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try unsafe session.makeFolder(
                    request,
                    NodeID(rawValue: folder),
                    name,
                    mode: mode
                )
            }
        }
        unsafe calls.symlink = { raw, target, folder, name in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                let folder = NodeID(rawValue: folder)
                try unsafe session.makeLink(request, folder, name, to: target)
            }
        }
        unsafe calls.link = { raw, node, folder, name in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                let node = NodeID(rawValue: node)
                try unsafe session.link(request, node, NodeID(rawValue: folder), name)
            }
        }
        unsafe calls.unlink = { raw, folder, name in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                let folder = NodeID(rawValue: folder)
                try unsafe session.remove(request, folder, name, isFolder: false)
            }
        }
        unsafe calls.rmdir = { raw, folder, name in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                let folder = NodeID(rawValue: folder)
                try unsafe session.remove(request, folder, name, isFolder: true)
            }
        }
        unsafe calls.rename = { raw, folder, name, newFolder, newName, flags in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try unsafe session.rename(
                    request,
                    NodeID(rawValue: folder),
                    name,
                    to: NodeID(rawValue: newFolder),
                    newName,
                    flags: flags
                )
            }
        }
        unsafe calls.create = { raw, folder, name, mode, info in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                guard let info = unsafe info else { throw Refusal(EINVAL) }
                let folder = NodeID(rawValue: folder)
                let flags = unsafe info.pointee.flags
                var (entry, open) = try unsafe session.create(
                    folder,
                    request,
                    name,
                    mode: mode,
                    flags: flags
                )
                unsafe session.put(open, info)
                if unsafe fuse_reply_create(request.raw, &entry, info) < 0 {
                    unsafe session.letGo(info.pointee.fh)
                    session.forget(NodeID(rawValue: entry.ino), 1)
                }
            }
        }
    }

    private static func addLists(_ calls: inout fuse_lowlevel_ops) {
        unsafe calls.opendir = { raw, node, info in
            unsafe Session.answer(raw) { _, request in
                // Branches come and go otherwise than through the kernel; names below them do not.
                if let info = unsafe info, NodeID(rawValue: node) != .top {
                    unsafe oxbow_keep_list(info)
                }
                _ = unsafe fuse_reply_open(request.raw, info)
            }
        }
        unsafe calls.releasedir = { raw, _, _ in
            unsafe Session.answer(raw) { _, request in request.done() }
        }
        unsafe calls.readdir = { raw, node, size, offset, _ in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                let node = NodeID(rawValue: node)
                try session.list(request, node, size, behind: offset)
            }
        }
        unsafe calls.fsyncdir = { raw, node, _, _ in
            unsafe Session.answer(raw) { session, request throws(Refusal) in
                try session.syncFolder(request, NodeID(rawValue: node))
            }
        }
    }

    /// What the two sides agree on.
    private static func configure(_ connection: inout fuse_conn_info) {
        // The size is changed by a request of its own, not with the opening.
        connection.want &= ~UInt32(FUSE_CAP_ATOMIC_O_TRUNC)
        // The kernel is told where content changes behind its back.
        connection.want &= ~UInt32(FUSE_CAP_AUTO_INVAL_DATA)
        connection.want |= connection.capable & UInt32(FUSE_CAP_PARALLEL_DIROPS)
        connection.max_write = 1 << 20
        connection.max_readahead = 1 << 20
        connection.max_background = 64
        connection.congestion_threshold = 48
        connection.time_gran = 1
    }
}
