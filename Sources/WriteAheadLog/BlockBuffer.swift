package import Primitives

/// Blocks of a record in the making: payloads in place and summed, headers waiting for the LSN
/// and the timeline that they get in the critical section.
package struct BlockBuffer: Sendable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var headers: [BlockHeader] = []
    package private(set) var offsets: [Int] = []

    package init() {}

    package var count: Int { headers.count }
    package var byteCount: Int { bytes.count }
    package var isEmpty: Bool { headers.isEmpty }

    /// How many bytes a payload of that length takes in a record.
    package static func size(ofPayload length: Int) -> Int { aligned(BlockHeader.size + length) }

    /// Compresses a page into the buffer.
    package mutating func append(
        page: UnsafeRawBufferPointer,
        object: ObjectID,
        number: PageNumber
    ) {
        let start = bytes.count
        let bound = PageCodec.bound(page.count)
        grow(by: BlockHeader.size)
        let (encoding, length, checksum) = unsafe withUnsafeTemporaryAllocation(
            byteCount: bound,
            alignment: 16
        ) { target in
            let (encoding, count) = unsafe PageCodec.encode(page, into: target)
            let payload = unsafe UnsafeRawBufferPointer(rebasing: target[..<count])
            unsafe bytes.append(contentsOf: payload)
            return (encoding, count, unsafe Checksum.of(payload))
        }
        finish(
            start,
            BlockHeader(
                kind: .page,
                encoding: encoding,
                payloadLength: length,
                object: object.rawValue,
                page: number.rawValue,
                payloadChecksum: checksum
            )
        )
    }

    /// Appends a node, a deletion or a page that is already encoded.
    package mutating func append(
        _ kind: BlockKind,
        encoding: PageEncoding = .raw,
        payload: [UInt8],
        object: UInt64,
        page: UInt64
    ) {
        invariant(
            kind != .node || payload.count >= BlockHeader.minimumPayload,
            "a node of nothing"
        )
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: BlockHeader.size))
        bytes.append(contentsOf: payload)
        finish(
            start,
            BlockHeader(
                kind: kind,
                encoding: encoding,
                payloadLength: payload.count,
                object: object,
                page: page,
                payloadChecksum: Checksum.of(payload)
            )
        )
    }

    /// Appends a block of another buffer as it is.
    package mutating func append(copyOf index: Int, in other: BlockBuffer) {
        let start = bytes.count
        let from = other.offsets[index]
        let header = other.headers[index]
        bytes.append(contentsOf: other.bytes[from..<from + aligned(Int(header.length))])
        headers.append(header)
        offsets.append(start)
    }

    /// The upper bound of a range deletion; 0 for other kinds.
    package func upperBound(_ index: Int) -> UInt64 {
        guard headers[index].kind == .rangeDeletion else { return 0 }
        return unsafe bytes.withUnsafeBytes {
            unsafe UInt64(
                littleEndian: $0.loadUnaligned(
                    fromByteOffset: offsets[index] + BlockHeader.size,
                    as: UInt64.self
                )
            )
        }
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
    }

    private mutating func grow(by count: Int) {
        bytes.append(contentsOf: repeatElement(0, count: count))
    }

    private mutating func finish(_ start: Int, _ header: BlockHeader) {
        grow(by: start + aligned(Int(header.length)) - bytes.count)
        headers.append(header)
        offsets.append(start)
    }
}
