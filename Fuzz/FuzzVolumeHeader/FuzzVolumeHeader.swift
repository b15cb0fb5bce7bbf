import FuzzSupport
import Volume

/// What decodes must come back from its own bytes, and decode to the same again.
@c(LLVMFuzzerTestOneInput)
public func fuzzVolumeHeader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let page = [UInt8](UnsafeBufferPointer(start: start, count: count)).padded(to: 8192)
    if let header = try? VolumeHeader(decoding: page) {
        let again = try? VolumeHeader(decoding: header.encoded())
        precondition(again == header, "a header is another after a round trip")
    }
    return 0
}
