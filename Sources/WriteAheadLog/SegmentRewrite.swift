import DiskIO
package import Primitives

/// Writes the next generation of sealed segments, one or several that follow each other: the same
/// numbers and the same positions, but only the blocks that are live, in one file.
///
/// The file: the first segment's header with the generation counted up, and how many numbers
/// follow; the blocks, each from a multiple of eight; a closing index whose extents say which
/// positions are where. It is written under another name, synced, and renamed into place. So a
/// crash leaves the old generation or the new, or both where the new one has a name of its own.
package struct SegmentRewrite {
    /// A file that is to be replaced.
    package struct Source {
        package let span: SegmentSpan
        /// Where the last of its segments ends.
        package let end: LSN
        package let liveBytes: UInt64

        package init(_ span: SegmentSpan, end: LSN, liveBytes: UInt64) {
            self.span = span
            self.end = end
            self.liveBytes = liveBytes
        }
    }

    private let files: SegmentFiles
    private let sources: [Source]
    /// What the new file holds.
    package let span: SegmentSpan
    private var output: [UInt8] = []
    private var outputStart: UInt64 = 0
    private var extents: SegmentExtents

    /// The sources are in the log's order, and no other file's segments lie between them.
    package init(_ sources: [Source], _ files: SegmentFiles) {
        invariant(!sources.isEmpty, "nothing to rewrite")
        self.files = files
        self.sources = sources
        span = SegmentSpan(
            sources[0].span.first,
            through: sources[sources.count - 1].span.last
        )
        extents = SegmentExtents(from: files.geometry.base(of: span.first))
    }

    private var newName: String { span.fileName + ".new" }

    /// Writes the blocks that `isLive` names, which must be as many bytes as each source says:
    /// otherwise something in it cannot be read, and all stays as it is. Returns the generation.
    package mutating func run(isLive: (LSN) -> Bool) throws(LogError) -> UInt32 {
        var generation: UInt32 = 0
        for source in sources {
            generation = max(generation, try files.file(source.span.first).header.generation)
        }
        var header = try files.file(span.first).header
        header.version = SegmentHeader.formatVersions.rewritten
        header.generation = generation + 1
        header.further = UInt32(span.last.rawValue - span.first.rawValue)
        let target = try begin(header)
        do throws(LogError) {
            for source in sources { try copy(source, to: target, isLive) }
            try finish(target, header)
        } catch {
            // What is written of it would take the room that is wanted.
            let isNew = !sources.contains { $0.span == span }
            for name in [newName] + (isNew ? [span.fileName] : []) {
                do throws(DiskError) { try files.disk.remove(name) } catch {}
            }
            throw error
        }
        files.replace(with: span)
        try LogError.disk { () throws(DiskError) in
            for source in sources where source.span != span {
                try files.disk.remove(source.span.fileName)
            }
        }
        return header.generation
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

    private mutating func copy(
        _ source: Source,
        to target: any File,
        _ isLive: (LSN) -> Bool
    ) throws(LogError) {
        let before = extents.nextOffset
        let file = try files.file(source.span.first)
        if let kept = file.extents {
            try copy(kept, isLive, target)
        } else {
            try copyRecords(of: file, upTo: source.end, isLive, target)
        }
        let copied = extents.nextOffset - before
        guard copied == source.liveBytes else {
            throw .damaged(
                Damage(
                    at: files.geometry.base(of: source.span.first),
                    "\(source.span.fileName) holds \(copied) of \(source.liveBytes) live bytes"
                )
            )
        }
    }

    private mutating func finish(
        _ target: any File,
        _ header: SegmentHeader
    ) throws(LogError) {
        output += ClosingIndex.encode(
            SegmentIndexBuilder(),
            extents: extents,
            header: header,
            end: sources.last?.end ?? .zero,
            at: extents.nextOffset
        )
        try drain(target)
        try LogError.disk { () throws(DiskError) in
            try target.sync()
            try files.disk.rename(newName, to: span.fileName)
            try files.disk.syncFolder()
        }
    }

    private mutating func copyRecords(
        of source: SegmentFile,
        upTo end: LSN,
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

    private mutating func copy(
        _ kept: SegmentExtents,
        _ isLive: (LSN) -> Bool,
        _ target: any File
    ) throws(LogError) {
        for place in 0..<kept.count {
            let extent = kept[place]
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
        let size = aligned(block.count)
        output += block
        output += repeatElement(0, count: size - block.count)
        extents.append(lsn, length: UInt64(size))
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
