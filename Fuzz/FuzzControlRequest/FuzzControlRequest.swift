import BranchServer

/// Any bytes are a command line or are refused, and what was read is written as it was; and any
/// bytes are an answer or are none.
@c(LLVMFuzzerTestOneInput)
public func fuzzControlRequest(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = try? ControlRequest.bodyLength(header: bytes)
    _ = try? ControlReply.bodyLength(header: bytes)
    if let kind = bytes.first { _ = try? ControlReply(kind: kind, body: Array(bytes.dropFirst())) }
    guard let request = try? ControlRequest(body: bytes), let whole = request.encoded() else {
        return 0
    }
    // It may be shorter than what was read: a number can be written in more bytes than it needs.
    let body = Array(whole.dropFirst(ControlRequest.headerBytes))
    precondition(body.count <= bytes.count, "longer than what was read")
    precondition((try? ControlRequest(body: body)) == request, "written otherwise than read")
    return 0
}
