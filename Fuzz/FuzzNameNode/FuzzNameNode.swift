import PageStorage
import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzNameNode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? MapNode<NameEntry>(decoding: bytes)
    return 0
}
