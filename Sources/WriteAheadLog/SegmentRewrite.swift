import DiskIO
package import Primitives

/// Writes the next generation of a sealed segment: the same number and the same positions, but
/// only the blocks that are live.
///
/// The file: the segment's header with the generation counted up; the blocks, each from a multiple
/// of eight; a closing index whose extents say which positions are where. It is written under
/// another name, synced, and renamed into place, so a crash leaves the old generation or the new.
package struct SegmentRewrite {
    private let files: SegmentFiles
    private let number: SegmentNumber
    private let source: SegmentFile
    private var output: [UInt8] = []
    private var outputStart: UInt64 = 0
    private var extents: [SegmentExtents.Extent] = []
    private var keptBytes: UInt64 = 0

    package init(_ number: SegmentNumber, _ files: SegmentFiles) throws(LogError) {
        self.number = number
        self.files = files
        source = try files.file(number)
    }

    private var newName: String { number.fileName + ".new" }

    /// Writes the blocks that `isLive` names, which must be `liveBytes` together: otherwise
    /// something in the segment cannot be read, and it stays as it is.
    package mutating func run(
        end: LSN,
        liveBytes: UInt64,
        isLive: (LSN) -> Bool
    ) throws(LogError) {
        var header = source.header
        header.generation += 1
        let target = try begin(header)
        do throws(LogError) {
            try copy(to: target, header, end, liveBytes, isLive)
        } catch {
            // What is written of it would take the room that is wanted.
            do throws(DiskError) { try files.disk.remove(newName) } catch {}
            throw error
        }
        files.forget(number)
    }

    private mutating func copy(
        to target: any File,
        _ header: SegmentHeader,
        _ end: LSN,
        _ liveBytes: UInt64,
        _ isLive: (LSN) -> Bool
    ) throws(LogError) {
        if source.extents == nil {
            try copyFromRecords(end, isLive, target)
        } else {
            try copyFromExtents(isLive, target)
        }
        guard keptBytes == liveBytes else {
            throw .damaged(
                Damage(
                    at: files.geometry.base(of: number),
                    "segment \(number) holds \(keptBytes) of \(liveBytes) live bytes"
                )
            )
        }
        let offset = outputStart + UInt64(output.count)
        output += ClosingIndex.encode(
            SegmentIndexBuilder(),
            extents: extents,
            header: header,
            end: end,
            at: offset
        )
        try drain(target)
        do throws(DiskError) {
            try target.sync()
            try files.disk.rename(newName, to: number.fileName)
            try files.disk.syncFolder()
        } catch { throw .disk(error) }
    }

    private mutating func begin(_ header: SegmentHeader) throws(LogError) -> any File {
        output = header.encoded()
        do throws(DiskError) { try files.disk.remove(newName) } catch {
            guard case .notFound = error else { throw .disk(error) }
        }
        do throws(DiskError) { return try files.disk.create(newName) } catch {
            throw .disk(error)
        }
    }

    private mutating func copyFromRecords(
        _ end: LSN,
        _ isLive: (LSN) -> Bool,
        _ target: any File
    ) throws(LogError) {
        var scanner = SegmentScanner(file: source.file, header: source.header)
        while scanner.position < end {
            let record = try LogError.disk { () throws(DiskError) in try scanner.next() }
            guard let record else { return }
            for block in record.blocks
            where block.header.kind.canBeLive && isLive(block.location.lsn) {
                let length = Int(block.header.length)
                try append(try bytes(at: block.location.lsn, length), block.location.lsn, target)
            }
        }
    }

    private mutating func copyFromExtents(
        _ isLive: (LSN) -> Bool,
        _ target: any File
    ) throws(LogError) {
        for extent in source.extents?.extents ?? [] {
            var position: UInt64 = 0
            while position < extent.length {
                let lsn = LSN(rawValue: extent.lsn.rawValue + position)
                let head = try bytes(at: lsn, BlockHeader.size)
                let header = unsafe head.withUnsafeBytes {
                    unsafe BlockHeader.load($0, seed: files.store.blockSeed)?.header
                }
                guard let header, header.lsn == lsn else { return }
                if isLive(lsn) { try append(try bytes(at: lsn, Int(header.length)), lsn, target) }
                position += UInt64(aligned(Int(header.length)))
            }
        }
    }

    private func bytes(at lsn: LSN, _ count: Int) throws(LogError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: LogError?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(LogError) { try unsafe files.read(lsn, into: buffer) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private mutating func append(
        _ block: [UInt8],
        _ lsn: LSN,
        _ target: any File
    ) throws(LogError) {
        try check(block, lsn)
        let offset = outputStart + UInt64(output.count)
        let size = UInt64(aligned(block.count))
        output += block
        output += repeatElement(0, count: Int(size) - block.count)
        keptBytes += size
        if let last = extents.last, last.lsn.rawValue + last.length == lsn.rawValue {
            extents[extents.count - 1].length += size
        } else {
            extents.append(SegmentExtents.Extent(lsn: lsn, offset: offset, length: size))
        }
        if output.count >= 1 << 20 { try drain(target) }
    }

    /// A block that is copied is sound, or the segment stays.
    private func check(_ block: [UInt8], _ lsn: LSN) throws(LogError) {
        let isSound = unsafe block.withUnsafeBytes { raw -> Bool in
            guard let header = unsafe BlockHeader.load(raw, seed: files.store.blockSeed)?.header,
                header.lsn == lsn, Int(header.length) == raw.count
            else { return false }
            let payload = unsafe UnsafeRawBufferPointer(rebasing: raw[BlockHeader.size...])
            return unsafe Checksum.of(payload) == header.payloadChecksum
        }
        guard isSound else { throw .damaged(Damage(at: lsn, "a live block")) }
    }

    private mutating func drain(_ target: any File) throws(LogError) {
        do throws(DiskError) { try target.write(output, at: outputStart) } catch {
            throw .disk(error)
        }
        outputStart += UInt64(output.count)
        output.removeAll(keepingCapacity: true)
    }
}
