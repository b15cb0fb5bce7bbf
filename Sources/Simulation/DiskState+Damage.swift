import Primitives

extension DiskState {
    /// Flips one bit of a sector that is synced and that no unsynced write covers.
    mutating func rot(in name: String?) -> DiskEvent? {
        let names = entries.keys.sorted().filter { name == nil || name == $0 }
        let files = names.compactMap { entries[$0] }.filter {
            nodes[$0].map { !$0.durable.allocatedRanges().isEmpty } ?? false
        }
        guard !files.isEmpty else { return nil }
        for _ in 0..<Self.rotAttempts {
            let file = files[random.below(files.count)]
            guard let ranges = nodes[file]?.durable.allocatedRanges() else { continue }
            let block = ranges[random.below(ranges.count)]
            let byte = block.lowerBound + random.below(block.count)
            let bit = UInt8(1) << UInt8(random.below(8))
            if flip(bit, ofByte: byte, in: file) { return events.last }
        }
        return nil
    }

    private static var rotAttempts: Int { 64 }

    private mutating func flip(_ bit: UInt8, ofByte byte: Int, in file: FileNumber) -> Bool {
        let start = byte / FileContent.sectorSize * FileContent.sectorSize
        guard let node = nodes[file], !node.isPending(start..<start + FileContent.sectorSize),
            let old = node.durable.bytes(byte..<byte + 1).first
        else { return false }
        let new = [old ^ bit]
        unsafe new.withUnsafeBytes { unsafe nodes[file]?.damage($0, at: byte) }
        note(.rot, .read, node.name, byte..<byte + 1)
        return true
    }

    /// Changes a file's bytes as if they had always been so: durable, and nothing pending.
    mutating func edit(_ name: String, _ change: (inout FileContent) -> Void) {
        guard let number = entries[name] else {
            invariant(false, "no file \(name) to edit")
            return
        }
        nodes[number]?.sync()
        var content = nodes[number]?.latest ?? FileContent()
        change(&content)
        nodes[number]?.durable = content
        nodes[number]?.latest = content
    }

    /// Puts a durable file there, in the place of one of that name, and syncs the folder.
    mutating func plant(_ bytes: [UInt8], as name: String) {
        if let old = entries[name] { nodes[old]?.isLinked = false }
        let planted = EntryChange(kind: .create, name: name, file: makeNode(name))
        planted.apply(to: &entries)
        pendingEntries.append(planted)
        makeEntriesDurable()
        edit(name) { $0.write(bytes, bytes.indices, at: 0) }
    }
}
