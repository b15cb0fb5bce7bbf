import DiskIO
import Primitives
import WriteAheadLog

extension LogDump {
    /// What is left of a segment that was written anew: blocks without the records they came with.
    func walkKept(_ number: SegmentNumber, from start: LSN, _ take: (Item) -> Bool) -> Bool {
        let name = fileName(number)
        do throws(LogError) {
            let file = try files.file(number)
            let extents = file.extents
            for extent in (0..<(extents?.count ?? 0)).compactMap({ extents?[$0] }) {
                let (blocks, fault) = try blocks(of: extent, in: file.file)
                let wanted = blocks.filter { $0.lsn >= start }
                if !wanted.isEmpty, !take(.kept(wanted)) { return false }
                guard let fault else { continue }
                guard take(.damage(Fault(file: name, lsn: fault.lsn, what: fault.what))) else {
                    return false
                }
            }
            return true
        } catch {
            var fault = Fault(file: name, lsn: files.geometry.base(of: number), what: "\(error)")
            if case .damaged(let damage) = error { fault.what = damage.what }
            return take(.damage(fault))
        }
    }

    /// The blocks of an extent, up to the first that is not what was written.
    private func blocks(
        of extent: SegmentExtents.Extent,
        in file: any File
    ) throws(LogError) -> ([Block], Damage?) {
        var blocks: [Block] = []
        var position: UInt64 = 0
        while position < extent.length {
            // An extent may say anything, and must not make this stop.
            let lsn = LSN(rawValue: extent.lsn.rawValue &+ position)
            let offset = extent.offset &+ position
            let found = try LogError.disk { () throws(DiskError) in
                try block(at: lsn, in: file, offset)
            }
            guard let block = found else { return (blocks, Damage(at: lsn, "a block")) }
            blocks.append(block)
            position += UInt64(aligned(block.byteCount))
        }
        return (blocks, nil)
    }

    private func block(
        at lsn: LSN,
        in file: any File,
        _ offset: UInt64
    ) throws(DiskError) -> Block? {
        let head = try file.read(BlockHeader.size, at: offset)
        let header = unsafe head.withUnsafeBytes {
            unsafe BlockHeader.load($0, seed: files.store.blockSeed)?.header
        }
        guard let header, header.lsn == lsn,
            header.payloadLength <= files.geometry.maximumRecordBytes
        else { return nil }
        let payload = try file.read(
            header.payloadLength,
            at: offset &+ UInt64(BlockHeader.size)
        )
        guard payload.count == header.payloadLength,
            Checksum.of(payload) == header.payloadChecksum
        else { return nil }
        return Block(header)
    }
}
