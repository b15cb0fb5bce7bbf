import PostgresWire

/// What is decoded is encoded again, to the same bytes.
@c(LLVMFuzzerTestOneInput)
public func fuzzFrontendMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    if let type = bytes.first {
        let body = Array(bytes.dropFirst())
        if let message = try? FrontendMessage(Frame(type: type, body: body)) {
            var writer = WireWriter()
            if (try? message.encode(into: &writer)) != nil {
                precondition(writer.bytes.dropFirst(5).elementsEqual(body), "written otherwise")
            }
        }
        _ = try? BindHeader(decoding: body)
        _ = try? PasswordMessage(decoding: body)
        if let response = try? SASLInitialResponse(decoding: body) {
            precondition((try? response.message()) == .password(body), "written otherwise")
        }
    }
    var reader = FrameReader(.frontend)
    reader.append(bytes)
    while let frame = try? reader.next() { _ = try? FrontendMessage(frame) }
    return 0
}
