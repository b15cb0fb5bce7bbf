import Primitives

/// The bytes of a file, as a value: copies share their blocks until one of them is written, so that
/// a copy of a disk costs a few references and a crash copies no file.
///
/// A block that was never written nor allocated is a hole: it reads as zeros and takes no space.
///
/// Laws:
/// 1. There is a slot for each block that the length reaches, and none past it.
/// 2. What a block holds past the length is zero, so that growing shows zeros.
struct FileContent: Sendable {
    static let blockSize = 4096
    /// What a disk writes whole or not at all.
    static let sectorSize = 512

    private static let zeros = [UInt8](repeating: 0, count: blockSize)

    private(set) var byteCount = 0
    private(set) var allocatedBlocks = 0
    private var blocks: [[UInt8]?] = []

    /// The sectors that a range of bytes touches, each cut to the range.
    static func sectors(of range: Range<Int>) -> some Sequence<Range<Int>> {
        let first = range.lowerBound / sectorSize
        let end = (range.upperBound + sectorSize - 1) / sectorSize
        return (first..<max(first, end)).lazy.map { sector in
            (sector * sectorSize..<(sector + 1) * sectorSize).clamped(to: range)
        }
    }

    private static func blockCount(_ length: Int) -> Int { (length + blockSize - 1) / blockSize }

    private static func part(_ offset: Int, _ count: Int) -> (index: Int, range: Range<Int>) {
        let start = offset % blockSize
        return (offset / blockSize, start..<min(start + count, blockSize))
    }
}

extension FileContent {
    /// Reads until the buffer is full or the file ends, and returns how many bytes it read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        invariant(offset >= 0, "a read at \(offset)")
        guard offset < byteCount else { return 0 }
        let count = min(buffer.count, byteCount - offset)
        var done = 0
        while done < count {
            let (index, range) = Self.part(offset + done, count - done)
            let target = unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[done..<done + range.count]
            )
            unsafe (blocks[index] ?? Self.zeros).withUnsafeBytes {
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range]))
            }
            done += range.count
        }
        return count
    }

    /// The bytes of the range, as far as the file reaches.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        let held = range.clamped(to: 0..<byteCount)
        // As in `File.read`: an empty array made below would be a race to ThreadSanitizer.
        if held.isEmpty { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: held.count) { buffer, initialized in
            initialized = unsafe read(
                into: UnsafeMutableRawBufferPointer(buffer),
                at: held.lowerBound
            )
        }
    }

    var allBytes: [UInt8] { bytes(0..<byteCount) }

    /// How many bytes from the range's start on can be written with so many new blocks.
    func writable(_ range: Range<Int>, newBlocks limit: Int) -> Int {
        var left = limit
        var offset = range.lowerBound
        while offset < range.upperBound {
            let (index, part) = Self.part(offset, range.upperBound - offset)
            if index >= blocks.count || blocks[index] == nil {
                if left == 0 { break }
                left -= 1
            }
            offset += part.count
        }
        return offset - range.lowerBound
    }

    /// The parts of the file that lie in blocks of the disk, in order.
    func allocatedRanges() -> [Range<Int>] {
        blocks.indices.filter { blocks[$0] != nil }.map { index in
            (index * Self.blockSize..<(index + 1) * Self.blockSize).clamped(to: 0..<byteCount)
        }
    }
}

extension FileContent {
    mutating func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
        invariant(offset >= 0, "a write at \(offset)")
        if source.count == 0 { return }
        grow(to: offset + source.count)
        var done = 0
        while done < source.count {
            let (index, range) = Self.part(offset + done, source.count - done)
            let part = unsafe UnsafeRawBufferPointer(rebasing: source[done..<done + range.count])
            unsafe put(part, index, range)
            done += range.count
        }
    }

    mutating func write(_ bytes: [UInt8], _ part: Range<Int>, at offset: Int) {
        unsafe bytes.withUnsafeBytes {
            unsafe write(UnsafeRawBufferPointer(rebasing: $0[part]), at: offset)
        }
    }

    private mutating func put(_ source: UnsafeRawBufferPointer, _ index: Int, _ range: Range<Int>) {
        if blocks[index] == nil { allocatedBlocks += 1 }
        // A whole block takes a new array's place, so that a shared one is not copied first.
        if range.count == Self.blockSize {
            blocks[index] = unsafe [UInt8](source)
            return
        }
        if blocks[index] == nil { blocks[index] = Self.zeros }
        unsafe blocks[index]?.withUnsafeMutableBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: $0[range]).copyMemory(from: source)
        }
    }

    /// Makes the file at least so long, with a hole.
    mutating func grow(to length: Int) {
        guard length > byteCount else { return }
        let missing = Self.blockCount(length) - blocks.count
        if missing > 0 { blocks.append(contentsOf: repeatElement(nil, count: missing)) }
        byteCount = length
    }

    /// Makes the file so long: cuts it, or grows it with a hole.
    mutating func resize(to length: Int) {
        invariant(length >= 0, "a length of \(length)")
        guard length < byteCount else { return grow(to: length) }
        let kept = Self.blockCount(length)
        allocatedBlocks -= blocks[kept...].count { $0 != nil }
        blocks.removeSubrange(kept...)
        byteCount = length
        let rest = length % Self.blockSize
        guard rest != 0, blocks[kept - 1] != nil else { return }
        blocks[kept - 1]?.replaceSubrange(rest..., with: Self.zeros[rest...])
    }

    /// Takes blocks for everything below `length`, and makes the file at least so long.
    mutating func allocate(to length: Int) {
        grow(to: length)
        for index in 0..<Self.blockCount(length) where blocks[index] == nil {
            blocks[index] = Self.zeros
            allocatedBlocks += 1
        }
    }
}
