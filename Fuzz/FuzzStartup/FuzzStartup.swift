import PostgresWire

/// A client's way in, with answers of the front's between; and the packets alone.
@c(LLVMFuzzerTestOneInput)
public func fuzzStartup(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    if let packet = try? StartupPacket(decoding: bytes) {
        var writer = WireWriter()
        if (try? packet.encode(into: &writer)) != nil {
            precondition(writer.bytes.dropFirst(4).elementsEqual(bytes), "written otherwise")
        }
        if case .startup(let message) = packet,
            let request = try? ConnectionRequest(message, policy: .ordinary)
        {
            var again = WireWriter()
            _ = try? StartupPacket.startup(request.startup).encode(into: &again)
        }
    }
    guard let choice = bytes.first else { return 0 }
    var handshake = ServerHandshake(
        .init(
            offersTLS: choice & 1 == 0,
            requiresTLS: choice & 2 == 0,
            mockSecret: [1],
            mockIterations: 1
        )
    )
    let place = 1 + min(count - 1, Int(choice >> 2) * 8)
    for piece in [bytes[1..<place], bytes[place...]] {
        handshake.receive(Array(piece))
        drive(&handshake)
    }
    return 0
}

private func drive(_ handshake: inout ServerHandshake) {
    while let action = handshake.next() {
        switch action {
        case .startTLS: handshake.tlsIsUp(endPointHash: [1], applicationProtocol: "postgresql")
        case .lookUpVerifier:
            handshake.verifier(nil, randomBytes: [UInt8](repeating: 2, count: 18))
        case .authenticated: preconditionFailure("in without a password")
        case .send, .beginSession, .cancel, .close: break
        }
    }
}
