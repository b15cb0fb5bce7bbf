import Oxbow
import Primitives
import Synchronization

/// A file that somebody works with. As long as this is referenced the content lives on, whether it
/// has a name or not.
public final class OpenFile: Sendable {
    /// Which file.
    public let number: InodeNumber
    private let files: BranchFiles
    private let held: HeldInode

    fileprivate init(_ files: BranchFiles, _ held: HeldInode) {
        self.files = files
        self.held = held
        number = held.number
    }

    deinit {
        held.lock.withLock {
            held.openCount -= 1
            // What is left over where the store fails is found when the files are next opened.
            if held.openCount == 0 { try? files.endIfNameless(held) }
        }
        files.release(held)
    }

    /// Fills `buffer` from `offset` on, and returns how many bytes there were.
    public func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(VolumeError) -> Int {
        // One moment for both: a file that grows meanwhile has its bytes before its size.
        let size = try held.lock.withLock { () throws(VolumeError) in
            try files.loadFile(held).attributes.size
        }
        return try unsafe files.reader().read(number, size: size, at: offset, into: buffer)
    }

    /// At most `count` bytes from `offset` on.
    public func read(at offset: UInt64, count: Int) throws(VolumeError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: VolumeError?
        var filled = 0
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(VolumeError) { filled = try unsafe read(at: offset, into: buffer) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Writes all bytes, as one commit.
    public func write(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64
    ) throws(VolumeError) {
        try held.lock.withLock { () throws(VolumeError) in
            try unsafe files.write(held, bytes, at: offset)
        }
    }

    /// Writes all bytes, as one commit.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(VolumeError) {
        var failure: VolumeError?
        unsafe bytes.withUnsafeBytes { buffer in
            do throws(VolumeError) { try unsafe write(buffer, at: offset) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Writes all bytes behind the file's end, wherever that is by then. Returns where that was.
    @discardableResult
    public func append(_ bytes: UnsafeRawBufferPointer) throws(VolumeError) -> UInt64 {
        try held.lock.withLock { () throws(VolumeError) in
            let end = try files.loadFile(held).attributes.size
            try unsafe files.write(held, bytes, at: end)
            return end
        }
    }

    /// Writes down the file's times, where they are newer in memory.
    public func writeTimes() throws(VolumeError) {
        try held.lock.withLock { () throws(VolumeError) in try files.writeTimes(held) }
    }

    /// Makes everything done so far durable.
    ///
    /// The times of all files that are open are written down, not of this one alone: PostgreSQL
    /// syncs one file after the other, and there is nothing left to flush from the second on.
    ///
    /// - Parameter dataOnly: Whether times that are newer in memory may stay there.
    public func sync(dataOnly: Bool = false) throws(VolumeError) {
        if !dataOnly { try files.writeTimes() }
        try engine { () throws(OxbowError) in
            try files.store.sync()
            // What was written before a reset is durable, but not to be found here.
            try files.line.expectCurrent()
        }
    }

    /// Makes the bytes that are not there in a range read as zeros without being written, and the
    /// file at least so long, unless its size is to stay.
    public func reserve(
        _ range: Range<UInt64>,
        keepingSize: Bool = false
    ) throws(VolumeError) {
        try held.lock.withLock { () throws(VolumeError) in
            try files.reserve(held, range, keepingSize)
        }
    }

    /// Makes a range read as zeros, and gives back the room of whole pages in it. The size stays,
    /// unless the file is to be lengthened up to the range's end.
    public func clear(
        _ range: Range<UInt64>,
        lengthening: Bool = false
    ) throws(VolumeError) {
        try held.lock.withLock { () throws(VolumeError) in
            try files.clear(held, range, lengthening)
        }
    }
}

extension BranchFiles {
    /// Opens a file of bytes.
    public func openFile(_ number: InodeNumber) throws(VolumeError) -> OpenFile {
        let held = table.hold(number)
        do throws(VolumeError) {
            try held.lock.withLock { () throws(VolumeError) in
                _ = try loadFile(held)
                held.openCount += 1
            }
        } catch {
            release(held)
            throw error
        }
        return OpenFile(self, held)
    }

    /// Call with the inode's lock held.
    func loadFile(_ held: HeldInode) throws(VolumeError) -> Inode {
        let inode = try load(held)
        switch inode.kind {
        case .file: return inode
        case .folder: throw VolumeError(.isAFolder, "inode \(held.number) is a folder")
        default: throw VolumeError(.invalid, "inode \(held.number) is no file of bytes")
        }
    }

    /// Ends a file that nobody has open any more and that has no name. Call with its lock held.
    fileprivate func endIfNameless(_ held: HeldInode) throws(VolumeError) {
        guard let inode = held.inode, inode.attributes.linkCount == 0,
            try isOrphan(held.number)
        else { return }
        held.inode = nil
        held.isDirty = false
        try forget(held.number, hasPages: inode.attributes.pageCount > 0)
    }
}
