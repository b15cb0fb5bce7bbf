import CLZ4
import Primitives

/// How the payload of a block is kept.
package enum PageEncoding: UInt8, Sendable {
    case raw = 0
    case lz4 = 1
}

/// Compresses and restores pages.
package enum PageCodec {
    /// The most bytes that a payload of so many bytes can need.
    package static func bound(_ count: Int) -> Int { Int(LZ4_compressBound(Int32(count))) }

    /// Compresses into `target` (at least ``bound(_:)`` long) what gets smaller by that, copies
    /// what does not, and returns how.
    package static func encode(
        _ page: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> (encoding: PageEncoding, count: Int) {
        invariant(target.count >= bound(page.count), "no room for a page's worst case")
        let source = unsafe page.baseAddress?.assumingMemoryBound(to: CChar.self)
        let sink = unsafe target.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = unsafe Int(
            LZ4_compress_default(source, sink, Int32(page.count), Int32(target.count))
        )
        // A sixteenth saved pays for the restoring.
        if count > 0, count < page.count - page.count / 16 { return (.lz4, count) }
        unsafe target.copyMemory(from: page)
        return (.raw, page.count)
    }

    /// Restores a page; false where the payload is not one of a page of this size.
    package static func decode(
        _ payload: UnsafeRawBufferPointer,
        _ encoding: PageEncoding,
        into page: UnsafeMutableRawBufferPointer
    ) -> Bool {
        switch encoding {
        case .raw:
            guard payload.count == page.count else { return false }
            unsafe page.copyMemory(from: payload)
            return true
        case .lz4:
            let source = unsafe payload.baseAddress?.assumingMemoryBound(to: CChar.self)
            let sink = unsafe page.baseAddress?.assumingMemoryBound(to: CChar.self)
            let count = unsafe LZ4_decompress_safe(
                source,
                sink,
                Int32(payload.count),
                Int32(page.count)
            )
            return Int(count) == page.count
        }
    }
}
