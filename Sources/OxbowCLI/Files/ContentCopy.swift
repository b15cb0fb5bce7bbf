import Primitives
import Volume

/// Something whose bytes can be read, and that knows where there are none.
protocol ContentSource {
    func byteCount() throws -> UInt64
    /// The next range at or after `offset` that may hold other bytes than zeros; nil at the end.
    func data(from offset: UInt64) throws -> Range<UInt64>?
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A file of a volume.
struct VolumeContent: ContentSource {
    let tree: any FileTree
    let number: InodeNumber

    func byteCount() throws -> UInt64 { try tree.attributes(of: number).size }

    func data(from offset: UInt64) throws -> Range<UInt64>? {
        guard let start = try tree.seek(.data, in: number, from: offset) else { return nil }
        let end = try tree.seek(.hole, in: number, from: start)
        return start..<max(start, try end ?? byteCount())
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try unsafe tree.read(number, at: offset, into: buffer)
    }
}

/// What a content is, whichever of its zeros are holes.
struct ContentDigest: Equatable {
    var byteCount: UInt64 = 0
    var sum: UInt64 = 0

    /// Takes in bytes that begin at a multiple of the unit. Units of zeros leave no trace, like
    /// holes.
    mutating func add(_ bytes: UnsafeRawBufferPointer, at offset: UInt64, unit: Int) {
        var start = 0
        while start < bytes.count {
            let end = min(start + unit, bytes.count)
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if unsafe !part.allSatisfy({ $0 == 0 }) {
                let place = offset + UInt64(start)
                sum = Checksum.fold(sum, unsafe Checksum.of(part, seed: place))
            }
            start = end
        }
    }
}

/// Reads contents, a megabyte at a time.
final class ContentCopy {
    /// Content that was cut while it was read.
    struct Changed: Error {}

    /// Bytes that are read and written at once: so large are the commits of an import.
    static let pieceBytes = 1 << 20
    private let unit: Int
    private var buffer: [UInt8]
    /// Told how many bytes were read; what it throws ends the reading.
    private let progress: (Int) throws -> Void

    /// - Parameter unit: What holes are counted in: the pages of the volume.
    init(unit: Int, progress: @escaping (Int) throws -> Void = { _ in }) {
        self.unit = unit
        self.progress = progress
        buffer = [UInt8](repeating: 0, count: Self.pieceBytes)
    }

    /// Asks between two files whether to go on.
    func pause() throws { try progress(0) }

    /// Reads all that is data, and hands it on where somebody wants it.
    // Safe to call: the bytes that the body gets are good for as long as it runs.
    @safe
    func read(
        _ source: some ContentSource,
        _ body: (UnsafeRawBufferPointer, UInt64) throws -> Void = { _, _ in }
    ) throws -> ContentDigest {
        let size = try source.byteCount()
        var digest = ContentDigest(byteCount: size)
        let unit = UInt64(unit)
        var offset: UInt64 = 0
        while offset < size, let range = try source.data(from: offset) {
            var place = max(offset, range.lowerBound / unit * unit)
            let end = min(size, (range.upperBound + unit - 1) / unit * unit)
            guard place < end else { break }
            while place < end {
                let count = Int(min(UInt64(Self.pieceBytes), end - place))
                try unsafe buffer.withUnsafeMutableBytes { whole in
                    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[..<count])
                    guard try unsafe source.read(at: place, into: part) == count else {
                        throw Changed()
                    }
                    let bytes = UnsafeRawBufferPointer(part)
                    unsafe digest.add(bytes, at: place, unit: self.unit)
                    try unsafe body(bytes, place)
                }
                place += UInt64(count)
                try progress(count)
            }
            offset = end
        }
        return digest
    }
}
