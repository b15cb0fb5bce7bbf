package import Primitives

/// A record as it was read: sound in every checksum, its payloads left where they lie.
package struct Record: Sendable {
    package let lsn: LSN
    package let header: RecordHeader
    package let meta: [UInt8]
    package let blocks: [RecordBlock]

    package init(lsn: LSN, header: RecordHeader, meta: [UInt8], blocks: [RecordBlock]) {
        self.lsn = lsn
        self.header = header
        self.meta = meta
        self.blocks = blocks
    }

    package var end: LSN { lsn + Int(header.length) }
}

/// A block of a record that was read.
package struct RecordBlock: Sendable {
    package let header: BlockHeader
    package let location: Location
    /// The upper bound of a range deletion; 0 for other kinds.
    package let upperBound: UInt64
}

extension Record {
    /// Reads the record that these bytes begin with; nil where there is none, or not a sound one.
    package static func load(
        _ bytes: UnsafeRawBufferPointer,
        at lsn: LSN,
        incarnation: UInt64,
        blockSeed: UInt64
    ) -> Record? {
        let seed = RecordHeader.seed(incarnation: incarnation, lsn: lsn)
        guard let header = unsafe RecordHeader.load(bytes, seed: seed),
            Int(header.length) <= bytes.count
        else { return nil }
        let whole = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<Int(header.length)])
        let bodyStart = RecordHeader.size + aligned(Int(header.metaLength))
        guard bodyStart <= whole.count else { return nil }
        let meta = unsafe UnsafeRawBufferPointer(
            rebasing: whole[RecordHeader.size..<RecordHeader.size + Int(header.metaLength)]
        )
        var content = unsafe Checksum.of(meta, seed: seed)
        guard Int(header.blockCount) <= whole.count / BlockHeader.size else { return nil }
        var blocks: [RecordBlock] = []
        blocks.reserveCapacity(Int(header.blockCount))
        var offset = bodyStart
        for _ in 0..<header.blockCount {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: whole[offset...])
            guard let (block, checksum) = unsafe loadBlock(rest, at: lsn + offset, seed: blockSeed)
            else { return nil }
            content = Checksum.fold(content, checksum)
            blocks.append(block)
            offset += aligned(Int(block.header.length))
            guard offset <= whole.count else { return nil }
        }
        guard offset == whole.count, content == header.content else { return nil }
        return Record(lsn: lsn, header: header, meta: unsafe [UInt8](meta), blocks: blocks)
    }

    /// Says of a record that is not sound whose it is, and which page's block is damaged, as far as
    /// its own header, and those of its blocks, can be read.
    static func identify(
        _ bytes: UnsafeRawBufferPointer,
        at lsn: LSN,
        incarnation: UInt64,
        blockSeed: UInt64,
        _ damage: inout Damage
    ) {
        let seed = RecordHeader.seed(incarnation: incarnation, lsn: lsn)
        guard let header = unsafe RecordHeader.load(bytes, seed: seed) else { return }
        if header.timeline != .none { damage.timeline = header.timeline }
        let end = min(bytes.count, Int(header.length))
        var offset = RecordHeader.size + aligned(Int(header.metaLength))
        for _ in 0..<header.blockCount {
            guard offset < end else { return }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
            guard let (block, _) = unsafe BlockHeader.load(rest, seed: blockSeed),
                block.lsn == lsn + offset
            else { return }
            if unsafe loadBlock(rest, at: lsn + offset, seed: blockSeed) == nil {
                guard block.kind != .node else { return }
                damage.object = ObjectID(block.object)
                damage.page = PageNumber(block.page)
                return
            }
            offset += aligned(Int(block.length))
        }
    }

    private static func loadBlock(
        _ bytes: UnsafeRawBufferPointer,
        at lsn: LSN,
        seed: UInt64
    ) -> (RecordBlock, UInt64)? {
        guard let (header, checksum) = unsafe BlockHeader.load(bytes, seed: seed),
            header.lsn == lsn, Int(header.length) <= bytes.count
        else { return nil }
        let payload = unsafe UnsafeRawBufferPointer(
            rebasing: bytes[BlockHeader.size..<Int(header.length)]
        )
        guard unsafe Checksum.of(payload) == header.payloadChecksum else { return nil }
        var upperBound: UInt64 = 0
        if header.kind == .rangeDeletion {
            guard payload.count == 8 else { return nil }
            upperBound = unsafe UInt64(littleEndian: payload.loadUnaligned(as: UInt64.self))
        }
        let location = Location(
            lsn: lsn,
            length: header.length,
            checksum: UInt32(truncatingIfNeeded: checksum)
        )
        return (RecordBlock(header: header, location: location, upperBound: upperBound), checksum)
    }
}

extension Record {
    /// Reads the meta bytes of a record that a checkpoint or lifecycle wrote.
    package func decode<Content>(
        _ body: ([UInt8]) throws(Malformed) -> Content
    ) throws(LogError) -> Content {
        do throws(Malformed) { return try body(meta) } catch {
            throw .damaged(Damage(at: lsn, "a record's content: \(error.what)"))
        }
    }
}
