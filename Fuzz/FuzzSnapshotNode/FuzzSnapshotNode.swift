import PageStorage
import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzSnapshotNode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? MapNode<SnapshotEntry>(decoding: bytes)
    return 0
}
