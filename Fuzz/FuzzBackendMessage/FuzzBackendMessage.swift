import PostgresWire

/// What is decoded is encoded again, to the same bytes; and a compute's log-in takes any.
@c(LLVMFuzzerTestOneInput)
public func fuzzBackendMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    if let type = bytes.first {
        let body = Array(bytes.dropFirst())
        if let message = try? BackendMessage(Frame(type: type, body: body)) {
            var writer = WireWriter()
            if (try? message.encode(into: &writer)) != nil {
                precondition(writer.bytes.dropFirst(5).elementsEqual(body), "written otherwise")
            }
        }
    }
    var handshake = ComputeHandshake(
        StartupMessage(.v3, [WireParameter("user", "u")]),
        .init(password: count % 2 == 0 ? nil : [1, 2], largestIterations: 10),
        randomBytes: [UInt8](repeating: 1, count: 18)
    )
    // In two pieces, of which the first byte says how long they are.
    let place = min(count, Int(bytes.first ?? 0))
    for piece in [bytes[..<place], bytes[place...]] {
        handshake.receive(Array(piece))
        while handshake.next() != nil {}
    }
    return 0
}
