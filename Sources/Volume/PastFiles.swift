public import Oxbow

/// The volume of a branch at a point of its history: read-only, and held while referenced.
///
///     let past = try PastFiles(main.view(at: main.point(at: .ago(.seconds(600)))))
///     let number = try past.resolve("/etc/motd")
public final class PastFiles: ReadableTree {
    /// What holds the pages.
    public let view: View
    private let header: VolumeHeader

    /// Reads a view's pages as a volume; it is an error where they are none.
    public init(_ view: View) throws(VolumeError) {
        guard let header = try VolumeReader.header(of: view.pages) else {
            throw VolumeError(.notFound, "there was no volume at \(view.point.lsn)")
        }
        self.view = view
        self.header = header
    }

    /// Whether the pages of a view are a volume, sound or not: either the header says that it is
    /// one, or the root is where a volume has it.
    public static func areHeld(by view: View) throws(VolumeError) -> Bool {
        let header = try engine { () throws(OxbowError) in
            try view.pages.page(0, of: VolumeLayout.header)
        }
        if let header, VolumeHeader.isMarked(header) { return true }
        let root = try engine { () throws(OxbowError) in
            try view.pages.page(InodeNumber.root.page, of: VolumeLayout.inodes)
        }
        guard let root else { return false }
        return (try? Inode(decoding: root, as: .root)) != nil
    }

    var nextInode: UInt64 { header.nextInode }

    func reader() -> VolumeReader { VolumeReader(view.pages, header) }

    func current(_ number: InodeNumber) throws(VolumeError) -> Inode {
        guard let inode = try reader().inode(number) else {
            throw VolumeError(.notFound, "there was no inode \(number) at \(view.point.lsn)")
        }
        return inode
    }
}
