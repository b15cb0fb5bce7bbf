import PostgresWire

/// Every message of the exchange, on both sides; no bytes are a proof or a signature.
@c(LLVMFuzzerTestOneInput)
public func fuzzScram(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: bytes, as: UTF8.self)
    if let verifier = SCRAMVerifier(text) {
        precondition(verifier.description == text, "a verifier does not read back")
    }
    if let decoded = Base64.decode(bytes) {
        precondition(Base64.encode(decoded) == bytes, "base64 does not read back")
    }
    // Once prepared is prepared for good, unless it could not be.
    _ = SASLprep.prepare(bytes)
    do { try exchange(bytes) } catch {}
    return 0
}

private func exchange(_ bytes: [UInt8]) throws {
    let random = [UInt8](repeating: 1, count: 18)
    let isPlus = bytes.count % 2 == 1
    let verifier = try SCRAMVerifier(password: [1], salt: [2], iterations: 1)
    var server = try SCRAMServer(
        isPlus ? .plus : .plain,
        verifier: verifier,
        channelBinding: isPlus ? [3] : nil,
        randomBytes: random
    )
    var other = server
    _ = try? other.first(bytes)
    var client = try SCRAMClient(
        password: [1],
        binding: isPlus ? .endPoint([3]) : .none,
        randomBytes: random,
        largestIterations: 10
    )
    let challenge = try server.first(client.first)
    var hostile = client
    // With the right nonce before it, so that what follows is looked at.
    _ = try? hostile.final(bytes)
    hostile = client
    _ = try? hostile.final(challenge.prefix { $0 != 0x2C } + [0x2C] + bytes)
    let answer = try client.final(challenge)
    let beginning = Array(answer.prefix { $0 != 0x70 })
    for message in [bytes, beginning + bytes] where message != answer {
        var copy = server
        precondition((try? copy.final(message)) ?? .rejected == .rejected, "a proof from nowhere")
    }
    guard case .accepted(let signature) = try server.final(answer) else {
        preconditionFailure("the right proof is refused")
    }
    precondition(!signature.isEmpty)
    if (try? client.finish(bytes)) != nil {
        precondition(bytes.starts(with: signature), "a signature from nowhere")
    }
}
