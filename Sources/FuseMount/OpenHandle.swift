import Glibc
import Volume

/// A file that a process has open.
final class OpenHandle: Sendable {
    let tree: MountedTree
    let number: InodeNumber
    /// The file itself, where it can be written to.
    let file: OpenFile?
    /// What the kernel keeps of it.
    let cache: FileUse.Cache
    private let flags: Int32

    init(_ tree: MountedTree, _ number: InodeNumber, _ file: OpenFile?, flags: Int32) {
        self.tree = tree
        self.number = number
        self.file = file
        self.flags = flags
        let syncsWrites = file != nil && flags & O_DSYNC != 0 && flags & O_ACCMODE != O_RDONLY
        cache = tree.open(number, syncsWrites: syncsWrites)
    }

    deinit { tree.close(number, cache) }

    /// Whether a write is to be durable before it is answered. Where the kernel keeps what is
    /// written it asks for that itself.
    var syncsWrites: Bool { cache == .none && flags & O_DSYNC != 0 }
    /// Whether that is asked of the file's times, too.
    var syncsTimes: Bool { flags & O_SYNC == O_SYNC }

    /// The number that the kernel keeps for it.
    func retained() -> UInt64 {
        UInt64(UInt(bitPattern: unsafe Unmanaged.passRetained(self).toOpaque()))
    }

    /// What the kernel has kept the number of.
    static func at(_ number: UInt64) -> OpenHandle? {
        unsafe pointer(number).map {
            unsafe Unmanaged<OpenHandle>.fromOpaque($0).takeUnretainedValue()
        }
    }

    static func release(_ number: UInt64) {
        guard let pointer = unsafe pointer(number) else { return }
        unsafe Unmanaged<OpenHandle>.fromOpaque(pointer).release()
    }

    private static func pointer(_ number: UInt64) -> UnsafeRawPointer? {
        unsafe UnsafeRawPointer(bitPattern: UInt(number))
    }
}
