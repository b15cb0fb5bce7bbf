import FuzzSupport
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzClosingIndex(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? ClosingIndex.decode(bytes.mended(ClosingIndex.footerSize - 8), fileLength: 1 << 20)
    return 0
}
