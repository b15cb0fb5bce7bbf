import FuzzSupport
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzSegmentHeader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? SegmentHeader.decode(bytes.mended(96))
    return 0
}
