import Oxbow

/// A commit of a volume in the making.
struct VolumeEdit {
    let edit: Edit
    let pageSize: Int

    func write(
        _ bytes: [UInt8],
        page: PageNumber,
        of object: ObjectID
    ) throws(VolumeError) {
        try engine { () throws(OxbowError) in try edit.write(bytes, page: page, of: object) }
    }

    func write(
        _ bytes: UnsafeRawBufferPointer,
        page: PageNumber,
        of object: ObjectID
    ) throws(VolumeError) {
        try engine { () throws(OxbowError) in
            try unsafe edit.write(bytes, page: page, of: object)
        }
    }

    func write(_ inode: Inode) throws(VolumeError) {
        let page = inode.encoded(pageSize: pageSize)
        try write(page, page: inode.number.page, of: VolumeLayout.inodes)
    }

    func delete(page: PageNumber, of object: ObjectID) throws(VolumeError) {
        try engine { () throws(OxbowError) in try edit.delete(page: page, of: object) }
    }

    func delete(_ pages: Range<PageNumber>, of object: ObjectID) throws(VolumeError) {
        try engine { () throws(OxbowError) in
            try edit.delete(pages: pages.lowerBound, upTo: pages.upperBound, of: object)
        }
    }

    /// Deletes an inode, and all that it holds.
    func delete(_ number: InodeNumber, hasPages: Bool) throws(VolumeError) {
        try delete(page: number.page, of: VolumeLayout.inodes)
        guard hasPages else { return }
        try engine { () throws(OxbowError) in try edit.delete(object: number.object) }
    }
}
