import PageStorage
import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzExpiryNode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? MapNode<ExpiryEntry>(decoding: bytes)
    return 0
}
