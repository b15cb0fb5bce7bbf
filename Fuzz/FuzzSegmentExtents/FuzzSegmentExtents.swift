import Primitives
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzSegmentExtents(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let base = LSN(rawValue: 7 << 26)
    guard let extents = try? SegmentExtents(decoding: bytes, from: base) else { return 0 }
    for place in 0..<extents.count {
        let extent = extents[place]
        let last = LSN(rawValue: extent.lsn.rawValue + extent.length - 1)
        guard extents.offset(of: extent.lsn) == extent.offset,
            extents.offset(of: last) == extent.offset + extent.length - 1
        else { fatalError("an extent is not found where it is") }
    }
    return 0
}
