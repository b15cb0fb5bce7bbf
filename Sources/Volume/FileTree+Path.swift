extension FileTree {
    /// Finds a file by its path from the root. Links on the way are followed, the last one where
    /// that is wanted; those with a path from the root stay inside the volume.
    public func resolve(
        _ path: String,
        followingLast: Bool = true
    ) throws(VolumeError) -> InodeNumber {
        try resolve(Array(path.utf8), followingLast: followingLast)
    }

    /// Finds a file by its path, whatever the bytes of its names mean.
    public func resolve(
        _ path: [UInt8],
        followingLast: Bool = true
    ) throws(VolumeError) -> InodeNumber {
        var hops = 0
        return try walk(path, from: .root, followingLast, &hops)
    }

    /// Finds the folder that a path's last name is or would be in, and that name.
    public func resolveParent(
        _ path: String
    ) throws(VolumeError) -> (folder: InodeNumber, name: FileName) {
        try resolveParent(Array(path.utf8))
    }

    /// Finds the folder that a path's last name is or would be in, and that name, whatever the
    /// bytes mean.
    public func resolveParent(
        _ path: [UInt8]
    ) throws(VolumeError) -> (folder: InodeNumber, name: FileName) {
        var bytes = path
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let cut = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        guard cut < bytes.count else {
            throw VolumeError(.invalid, "the root has no name")
        }
        let name = try FileName(Array(bytes[cut...]))
        var hops = 0
        return (try walk(Array(bytes[..<cut]), from: .root, true, &hops), name)
    }

    private func walk(
        _ path: [UInt8],
        from start: InodeNumber,
        _ followingLast: Bool,
        _ hops: inout Int
    ) throws(VolumeError) -> InodeNumber {
        let parts = path.split(separator: UInt8(ascii: "/"))
        var place = path.first == UInt8(ascii: "/") ? .root : start
        for (index, part) in parts.enumerated() {
            if part == [UInt8(ascii: ".")] { continue }
            if part == Array("..".utf8)[...] {
                place = try parent(of: place)
                continue
            }
            let found = try lookUp(FileName(Array(part)), in: place)
            let isLast = index == parts.count - 1
            if !isLast || followingLast, try attributes(of: found).kind == .link {
                hops += 1
                guard hops <= VolumeLimits.hops else {
                    let text = String(decoding: path, as: UTF8.self)
                    throw VolumeError(.tooManyHops, "\"\(text)\" leads over too many links")
                }
                place = try walk(target(of: found), from: place, true, &hops)
            } else {
                place = found
            }
        }
        return place
    }
}
