import PageStorage
import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzTimelineNode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? MapNode<TimelineEntry>(decoding: bytes)
    return 0
}
