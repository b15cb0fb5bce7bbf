import Volume

/// A file or folder that a process has open.
final class OpenHandle: Sendable {
    let tree: MountedTree
    let number: InodeNumber
    /// The file itself, where it can be written to.
    let file: OpenFile?

    init(_ tree: MountedTree, _ number: InodeNumber, _ file: OpenFile?) {
        self.tree = tree
        self.number = number
        self.file = file
    }

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
