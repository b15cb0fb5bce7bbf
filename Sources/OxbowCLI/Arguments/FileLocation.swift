/// A place in a branch's files: `BRANCH:/path`, `BRANCH@POINT:/path`.
package struct FileLocation: Sendable, Equatable {
    package let branch: BranchMoment
    /// From the root on, whatever its bytes mean.
    package let path: [UInt8]
    /// The branch and the point as they were written.
    package let origin: String

    /// As people write it.
    package var shown: String { "\(origin):\(Text.name(path))" }

    /// The last of the path's names; nil of the root.
    var lastName: [UInt8]? { path.split(separator: UInt8(ascii: "/")).last.map(Array.init) }

    /// Whether the path ends as one that must be a folder's.
    var endsInSlash: Bool { path.last == UInt8(ascii: "/") }

    package static func places(of name: [UInt8], in folder: [UInt8]) -> [UInt8] {
        folder.last == UInt8(ascii: "/") ? folder + name : folder + [UInt8(ascii: "/")] + name
    }
}

extension Values {
    /// Reads a place in the files of a branch, now or at a point. Times have colons, but none
    /// before a slash.
    package static func fileLocation(_ text: String) throws(Misuse) -> FileLocation {
        let bytes = RawText.bytes(text)
        let colon = UInt8(ascii: ":")
        let slash = UInt8(ascii: "/")
        let cut = bytes.indices.first { index in
            bytes[index] == colon && (index + 1 == bytes.count || bytes[index + 1] == slash)
        }
        let origin = String(decoding: bytes[..<(cut ?? bytes.count)], as: UTF8.self)
        let path = cut.map { Array(bytes[($0 + 1)...]) } ?? []
        guard !origin.isEmpty else {
            throw Misuse(
                "\"\(shown(text))\" names no branch: write BRANCH:/path, such as main:/etc/motd"
            )
        }
        let name = origin.prefix { $0 != "@" }
        if cut == nil, let colon = name.firstIndex(of: ":") {
            let right = "\(name[..<colon]):/\(name[name.index(after: colon)...])"
            throw Misuse("a path begins with a slash: write \(shown(right))")
        }
        return FileLocation(
            branch: try branchMoment(origin),
            path: path.isEmpty ? [slash] : path,
            origin: origin
        )
    }

    /// Reads a place that can be written to: in a branch as it is now.
    package static func ownFileLocation(_ text: String) throws(Misuse) -> FileLocation {
        let location = try fileLocation(text)
        guard let point = location.branch.text else { return location }
        let branch = location.origin.prefix { $0 != "@" }
        throw Misuse(
            "\(location.origin) is a moment gone by, and cannot be changed: write to \(branch), or "
                + "to a fork of it: oxbow branch create NAME --from \(branch)@\(shown(point))"
        )
    }

    /// Reads a path of this machine.
    package static func localPath(_ text: String) throws(Misuse) -> LocalPath {
        if text.isEmpty { throw Misuse("a path is empty: write a file's or a folder's") }
        return LocalPath(RawText.bytes(text))
    }
}
