import PageStorage
import Timelines

@c(LLVMFuzzerTestOneInput)
public func fuzzEventNode(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? MapNode<EventEntry>(decoding: bytes)
    return 0
}
