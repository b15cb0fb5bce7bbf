import COpenSSL
import Glibc
import Primitives

/// TLS over one socket that never waits. Used on one thread.
@safe
final class TLSConnection {
    enum Progress {
        case done
        case waiting
        case failed
    }

    private let connection: OpaquePointer
    let endPointHash: [UInt8]?
    /// What TLS itself waits for before it can go on.
    private(set) var wants: Readiness = []
    private var hasFailed = false
    private var hasFinished = false

    init(_ connection: OpaquePointer, endPointHash: [UInt8]?) {
        unsafe self.connection = connection
        self.endPointHash = endPointHash
    }

    deinit { unsafe SSL_free(connection) }

    /// The protocol that ALPN agreed on.
    var applicationProtocol: String? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(connection, &start, &count)
        guard count > 0 else { return nil }
        let name = unsafe UnsafeBufferPointer(start: start, count: Int(count))
        return unsafe String(decoding: name, as: UTF8.self)
    }

    func shakeHands() -> Progress {
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(connection)
        if result == 1 {
            wants = []
            return .done
        }
        return mustWait(result) ? .waiting : .failed
    }

    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Sockets.Outcome {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_read_ex(connection, buffer.baseAddress, buffer.count, &count)
        if result == 1 {
            wants = []
            return .bytes(count)
        }
        return mustWait(result) ? .wouldBlock : .ended
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Sockets.Outcome {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_write_ex(connection, bytes.baseAddress, bytes.count, &count)
        if result == 1 {
            wants = []
            return .bytes(count)
        }
        return mustWait(result) ? .wouldBlock : .ended
    }

    /// Tells the peer that nothing more comes, unless TLS is broken already: an end without that
    /// may be somebody else's doing, and clients take it for a failure.
    func finishSending() {
        guard !hasFailed, !hasFinished, unsafe SSL_is_init_finished(connection) == 1 else { return }
        hasFinished = true
        ERR_clear_error()
        _ = unsafe SSL_shutdown(connection)
    }

    /// Whether an attempt only has to be made again. What OpenSSL keeps of errors is the thread's,
    /// so it is cleared before each attempt.
    private func mustWait(_ result: Int32) -> Bool {
        switch unsafe SSL_get_error(connection, result) {
        case SSL_ERROR_WANT_READ: wants = .reading
        case SSL_ERROR_WANT_WRITE: wants = .writing
        case SSL_ERROR_ZERO_RETURN:
            wants = []
            return false
        default:
            wants = []
            hasFailed = true
            ERR_clear_error()
            return false
        }
        return true
    }
}
