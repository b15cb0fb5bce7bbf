package import DiskIO
package import Oxbow
package import Primitives
import WriteAheadLog

extension [UInt8] {
    /// With the right checksum of all before `offset`, if they are long enough.
    package func mended(_ offset: Int, seed: UInt64 = 0) -> [UInt8] {
        guard count >= offset + 8 else { return self }
        var bytes = self
        bytes.put(Checksum.of([UInt8](self[..<offset]), seed: seed), at: offset)
        return bytes
    }

    mutating func put(_ value: UInt64, at offset: Int) {
        for place in 0..<8 {
            self[offset + place] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(place)))
        }
    }

    /// As long as a page is: what is given is short, and pages end in zeros.
    package func padded(to size: Int) -> [UInt8] {
        [UInt8](prefix(size)) + [UInt8](repeating: 0, count: Swift.max(0, size - count))
    }

    package func word(_ offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(self[offset + $1]) << (8 * UInt64($1)) }
    }

    /// A record whose checksums are right as far as its lengths make sense, so that the decoder
    /// looks at what they cover.
    package func mendedRecord(at lsn: LSN, incarnation: UInt64, blockSeed: UInt64) -> [UInt8] {
        guard count >= RecordHeader.size else { return self }
        var bytes = self
        bytes.put(word(0) & ~0xFFFF_FFFF | UInt64(count / 8 * 8), at: 0)
        let seed = RecordHeader.seed(incarnation: incarnation, lsn: lsn)
        let metaLength = Int(word(40) >> 32)
        var offset = RecordHeader.size + aligned(metaLength)
        guard offset <= count else { return bytes.mended(56, seed: seed) }
        let meta = [UInt8](self[RecordHeader.size..<RecordHeader.size + metaLength])
        var content = Checksum.of(meta, seed: seed)
        for _ in 0..<Swift.min(64, Int(word(40) & 0xFFFF_FFFF)) {
            guard offset + BlockHeader.size <= count else { break }
            let length = Int(bytes.word(offset) & 0xFFFF_FFFF)
            guard length >= BlockHeader.size, offset + length <= count else { break }
            bytes.put(lsn.rawValue + UInt64(offset), at: offset + 8)
            let payload = [UInt8](bytes[offset + BlockHeader.size..<offset + length])
            bytes.put(Checksum.of(payload), at: offset + 40)
            let sum = Checksum.of([UInt8](bytes[offset..<offset + 48]), seed: blockSeed)
            bytes.put(sum, at: offset + 48)
            content = Checksum.fold(content, sum)
            offset += aligned(length)
        }
        bytes.put(content, at: 48)
        return bytes.mended(56, seed: seed)
    }
}

/// A small store on a disk, one of whose files has some of its bytes overwritten.
package func plant(_ bytes: [UInt8], on disk: MemoryDisk) throws {
    guard bytes.count > 4 else { return }
    do {
        let store = try openFuzzed(disk)
        let main = try store.branch("main")
        for round in 0..<6 {
            try main.commit(.buffered) { edit in
                try edit.write(
                    [UInt8](repeating: UInt8(round + 1), count: 512),
                    page: PageNumber(UInt64(round % 4)), of: ObjectID(1))
            }
            if round == 3 { try store.checkpoint() }
        }
        try store.close()
    }
    let names = try disk.list().sorted()
    let file = try disk.open(names[Int(bytes[0]) % names.count])
    let offset = UInt64(bytes[1]) | UInt64(bytes[2]) << 8
    try file.write([UInt8](bytes[3...]), at: offset % max(1, try file.length()))
}

package func openFuzzed(_ disk: any Disk) throws -> Store {
    var options = StoreOptions()
    options.upkeep = .manual
    options.pageSize = 512
    options.segmentBits = 16
    options.cacheBytes = 1 << 20
    var random = SeededRandom(seed: 5)
    return try Store.open(disk, SystemClock(), options, entropy: Entropy { random.next() })
}
