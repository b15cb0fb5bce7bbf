import Primitives

/// A client's connection: its socket, and TLS over that once there is.
final class Transport {
    let descriptor: Int32
    private var tls: TLSConnection?
    private(set) var isClosed = false

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    var hasTLS: Bool { tls != nil }

    func startTLS(_ context: TLSContext) throws(TLSError) {
        tls = try context.accept(descriptor)
    }

    /// Goes on shaking hands.
    func shakeHands() -> TLSConnection.Progress { tls?.shakeHands() ?? .failed }
    var endPointHash: [UInt8]? { tls?.endPointHash }
    var applicationProtocol: String? { tls?.applicationProtocol }
    /// What TLS waits for, beyond what is wanted of it.
    var extraInterest: Readiness { tls?.wants ?? [] }

    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Sockets.Outcome {
        if let tls { return unsafe tls.receive(buffer) }
        return unsafe Sockets.receive(descriptor, buffer)
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Sockets.Outcome {
        if let tls { return unsafe tls.send(bytes) }
        return unsafe Sockets.send(descriptor, bytes)
    }

    func finishSending() {
        tls?.finishSending()
        Sockets.finishSending(descriptor)
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        tls = nil
        Sockets.close(descriptor)
    }
}
