import Primitives

/// The medium past the file system: what damage tests read and write. None of it counts as an
/// operation, and none fails.
extension SimulatedDisk {
    /// The names of the files that there are now, sorted.
    package var names: [String] { with { $0.entries.keys.sorted() } }

    /// The names that a crash which keeps nothing unsynced would leave, sorted.
    package var durableNames: [String] { with { $0.durableEntries.keys.sorted() } }

    /// What such a crash would leave of the bytes of the file that has this name now.
    package func durableBytes(of name: String) -> [UInt8]? {
        with { $0.node(name)?.durable.allBytes }
    }

    /// The part of those bytes that lies in the range.
    package func durableBytes(of name: String, in range: Range<Int>) -> [UInt8]? {
        with { $0.node(name)?.durable.bytes(range) }
    }

    /// The bytes of a file as reading sees them.
    package func bytes(of name: String) -> [UInt8]? {
        with { $0.node(name)?.latest.allBytes }
    }

    package func length(of name: String) -> Int? {
        with { $0.node(name)?.latest.byteCount }
    }

    /// Makes a durable file of these bytes, in the place of one of that name, and the folder
    /// durable.
    package func plant(_ bytes: [UInt8], as name: String) { with { $0.plant(bytes, as: name) } }

    /// Writes over a file's bytes, durably; what was unsynced of it is durable afterwards too.
    package func overwrite(_ name: String, at offset: Int, with bytes: [UInt8]) {
        with { $0.edit(name) { $0.write(bytes, bytes.indices, at: offset) } }
    }

    /// Cuts a file or makes it longer, durably, as ``overwrite(_:at:with:)`` writes.
    package func resize(_ name: String, to length: Int) {
        with { $0.edit(name) { $0.resize(to: length) } }
    }

    /// Flips a bit, counted from the file's start, lowest of each byte first.
    package func flip(bit: Int, of name: String) {
        with { state in
            state.edit(name) { content in
                let byte = content.bytes(bit / 8..<bit / 8 + 1)
                invariant(byte.count == 1, "bit \(bit) is past the end of \(name)")
                content.write([byte[0] ^ (1 << UInt8(bit % 8))], 0..<1, at: bit / 8)
            }
        }
    }
}
