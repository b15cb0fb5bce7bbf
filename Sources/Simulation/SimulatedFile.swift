import DiskIO
import Primitives

/// A handle of a file of a simulated disk, good for one life of the disk.
final class SimulatedFile: File {
    private let disk: SimulatedDisk
    private let number: FileNumber

    init(_ number: FileNumber, of disk: SimulatedDisk) {
        self.number = number
        self.disk = disk
    }

    deinit { disk.with { $0.close(number) } }

    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(DiskError) -> Int {
        let count = try disk.update { state throws(DiskError) in
            try unsafe state.read(number, into: buffer, at: offset)
        }
        invariant(count <= buffer.count, "read past the buffer")
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
        disk.beforeChange?()
        try disk.update { state throws(DiskError) in
            try unsafe state.write(number, bytes, at: offset)
        }
    }

    func sync() throws(DiskError) {
        disk.beforeChange?()
        try disk.update { state throws(DiskError) in try state.sync(number) }
    }

    func settle() throws(DiskError) {
        disk.beforeChange?()
        try disk.update { state throws(DiskError) in
            try state.sync(number)
            state.showDurable(number)
        }
    }

    func allocate(_ length: UInt64) throws(DiskError) {
        disk.beforeChange?()
        try disk.update { state throws(DiskError) in try state.allocate(number, length) }
    }

    func truncate(to length: UInt64) throws(DiskError) {
        disk.beforeChange?()
        try disk.update { state throws(DiskError) in try state.truncate(number, to: length) }
    }

    func length() throws(DiskError) -> UInt64 {
        try disk.update { state throws(DiskError) in UInt64(try state.latest(number).byteCount) }
    }

    func allocatedBytes() throws(DiskError) -> UInt64 {
        try disk.update { state throws(DiskError) in
            UInt64(try state.latest(number).allocatedBlocks * FileContent.blockSize)
        }
    }
}
