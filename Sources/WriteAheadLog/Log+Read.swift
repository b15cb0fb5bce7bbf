import DiskIO
import Primitives

extension Log {
    /// Copies a block, header and payload, to the front of `buffer`, which it must fit.
    /// Nothing is checked here but that it is all there.
    package func read(
        _ location: Location,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(LogError) {
        let length = Int(location.length)
        invariant(length <= buffer.count, "a block of \(length) bytes for \(buffer.count)")
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<length])
        if location.end > written, unsafe readTail(location, target) { return }
        try unsafe files.read(location.lsn, into: target)
    }

    private func readTail(_ location: Location, _ target: UnsafeMutableRawBufferPointer) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        for chunk in chunks.reversed() where chunk.base <= location.lsn {
            let start = Int(location.lsn.rawValue - chunk.base.rawValue)
            guard start + target.count <= chunk.count else { return false }
            unsafe target.copyMemory(from: chunk.bytes(start..<start + target.count))
            return true
        }
        return false
    }

    /// Whether these bytes, read from `location`, are the block that was written there.
    package static func verify(
        _ bytes: UnsafeRawBufferPointer,
        _ location: Location,
        seed: UInt64
    ) throws(LogError) -> BlockHeader {
        guard let (header, checksum) = unsafe BlockHeader.load(bytes, seed: seed) else {
            throw .damaged(Damage(at: location.lsn, "a block's header is not what was written"))
        }
        guard UInt32(truncatingIfNeeded: checksum) == location.checksum,
            header.lsn == location.lsn, header.length == location.length
        else {
            throw .damaged(
                Damage(
                    at: location.lsn,
                    "another block (written at \(header.lsn)) stands in the place of one"
                )
            )
        }
        let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[BlockHeader.size...])
        guard unsafe Checksum.of(payload) == header.payloadChecksum else {
            throw .damaged(
                Damage(at: location.lsn, "a block's payload is not what was written")
            )
        }
        return header
    }
}
