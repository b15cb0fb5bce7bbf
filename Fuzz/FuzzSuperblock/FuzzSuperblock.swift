import FuzzSupport
import WriteAheadLog

@c(LLVMFuzzerTestOneInput)
public func fuzzSuperblock(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? Superblock.decode(bytes.mended(96))
    return 0
}
