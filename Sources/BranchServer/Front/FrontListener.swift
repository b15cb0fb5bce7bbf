import Primitives

/// Accepts connections on the sockets that the front listens on, on the first loop.
// Safe to share: what changes is touched on the loop's thread alone.
final class FrontListener: EventHandler, @unchecked Sendable {
    private let core: FrontCore
    private let loop: EventLoop
    private var sockets: [Int32: FrontSocket] = [:]
    /// How many are taken at one look, so that sessions on this loop are served in between.
    private static let batch = 64
    /// Whether there are no descriptors left, so that accepting waits a moment.
    private var isPaused = false

    init(_ core: FrontCore) {
        self.core = core
        loop = core.loops[0]
    }

    func add(_ socket: FrontSocket) {
        loop.run { [self] in
            sockets[socket.descriptor] = socket
            loop.watch(socket.descriptor, for: .reading, by: self)
        }
    }

    /// Closes some of the sockets, and waits until that is done.
    func remove(_ isMeant: @escaping @Sendable (FrontSocket) -> Bool) {
        let gate = Gate()
        loop.run { [self] in
            for socket in sockets.values where isMeant(socket) {
                sockets[socket.descriptor] = nil
                loop.forget(socket.descriptor)
                socket.close()
            }
            if sockets.isEmpty { resume() }
            gate.open()
        }
        gate.wait()
    }

    func ready(_ descriptor: Int32, for readiness: Readiness) {
        guard let socket = sockets[descriptor] else { return }
        do throws(SystemError) {
            for _ in 0..<Self.batch {
                guard let (accepted, peer) = try Sockets.accept(descriptor) else { return }
                core.take(
                    FrontSocket.Accepted(descriptor: accepted, peer: peer, socket: socket)
                )
            }
        } catch { pause() }
    }

    /// What could not be accepted would be shown again at once, and again.
    private func pause() {
        guard !isPaused else { return }
        isPaused = true
        for socket in sockets.values { loop.watch(socket.descriptor, for: [], by: self) }
        let began = loop.now
        loop.tick(self) { [self] now in if now > began { resume() } }
    }

    private func resume() {
        isPaused = false
        loop.tick(self, nil)
        for socket in sockets.values {
            loop.watch(socket.descriptor, for: .reading, by: self)
        }
    }
}
