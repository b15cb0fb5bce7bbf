import Primitives
import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzCheckpointEntry(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var reader = ByteReader(bytes)
    _ = try? CheckpointEntry(decoding: &reader)
    return 0
}
