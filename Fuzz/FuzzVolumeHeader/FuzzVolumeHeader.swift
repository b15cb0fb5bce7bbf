import FuzzSupport
import Volume

/// What decodes must come back from its own bytes, and decode to the same again.
@c(LLVMFuzzerTestOneInput)
public func fuzzVolumeHeader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    // The first bytes are right, so that what follows is reached.
    let page = (Array("OXVOLUME".utf8) + [1, 0, 0, 0, 0, 32, 0, 0] + bytes).padded(to: 8192)
    if let header = try? VolumeHeader(decoding: page) {
        let again = try? VolumeHeader(decoding: header.encoded())
        precondition(again == header, "a header is another after a round trip")
    }
    return 0
}
