import CLZ4
package import Primitives

/// Pages to write: drawn from a seed, half their size under LZ4, a few hundred distinct ones that
/// are used in turn, so that making them costs a measured loop next to nothing.
// Safe to share: the bytes never change once made, but by ``stamped(_:_:)``, whose callers each
// have data of their own.
package final class PageData: @unchecked Sendable {
    package let pageSize: Int
    package let count: Int
    private let memory: UnsafeMutableRawPointer

    package init(_ random: SeededRandom, pageSize: Int = 8192, count: Int = 256) throws {
        var random = random
        self.pageSize = pageSize
        self.count = count
        memory = .allocate(byteCount: pageSize * count, alignment: 4096)
        // Of 64 bytes 27 are random and the rest one value: with what LZ4 needs to say so, half.
        for start in stride(from: 0, to: pageSize * count, by: 64) {
            let filler = UInt8(truncatingIfNeeded: random.next())
            for offset in 0..<64 {
                let byte = offset < 27 ? UInt8(truncatingIfNeeded: random.next()) : filler
                memory.storeBytes(of: byte, toByteOffset: start + offset, as: UInt8.self)
            }
        }
        let ratio = compressionRatio
        guard pageSize < 4096 || (1.85...2.15).contains(ratio) else {
            throw BenchmarkError("the data compresses \(ratio):1, which should be 2:1")
        }
    }

    deinit { memory.deallocate() }

    package func page(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + index % count * pageSize, count: pageSize)
    }

    /// The page with a number at its front, so that no two pages of a store are equal.
    package func stamped(_ index: Int, _ number: UInt64) -> UnsafeRawBufferPointer {
        let start = memory + index % count * pageSize
        start.storeBytes(of: number, as: UInt64.self)
        return UnsafeRawBufferPointer(start: start, count: pageSize)
    }

    /// How much smaller the pages become, together.
    package var compressionRatio: Double {
        let total = (0..<count).reduce(0) { $0 + compressed($1).count }
        return Double(pageSize * count) / Double(total)
    }

    package func compressed(_ index: Int) -> [UInt8] { LZ4.compress(page(index)) }
}

/// The bare codec, as a bound of what stores that compress can reach.
package enum LZ4 {
    package static func compress(_ page: UnsafeRawBufferPointer) -> [UInt8] {
        let bound = Int(LZ4_compressBound(Int32(page.count)))
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            count = compress(page, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    @discardableResult
    package static func compress(
        _ page: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) -> Int {
        Int(
            LZ4_compress_default(
                page.baseAddress?.assumingMemoryBound(to: CChar.self),
                target.baseAddress?.assumingMemoryBound(to: CChar.self),
                Int32(page.count),
                Int32(target.count)
            )
        )
    }

    package static func decompress(
        _ bytes: UnsafeRawBufferPointer,
        into page: UnsafeMutableRawBufferPointer
    ) throws {
        let count = LZ4_decompress_safe(
            bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
            page.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(bytes.count),
            Int32(page.count)
        )
        guard Int(count) == page.count else { throw BenchmarkError("LZ4 decodes \(count) bytes") }
    }
}
