import PageStorage
import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzCheckpointNode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? MapNode<CheckpointEntry>(decoding: bytes)
    return 0
}
