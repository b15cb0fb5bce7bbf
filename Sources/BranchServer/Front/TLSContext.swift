import CLinux
import COpenSSL
import Glibc
import Primitives

/// Why there is no TLS.
package struct TLSError: Error, Sendable, CustomStringConvertible {
    package let description: String

    /// With what OpenSSL says, which it then forgets.
    init(_ operation: String) {
        let code = ERR_peek_error()
        ERR_clear_error()
        let reason = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) }
        description = operation + (reason.map { ": \($0)" } ?? "")
    }
}

/// A certificate with its key, and what clients may do with them: TLS 1.2 and 1.3 with ciphers that
/// authenticate, no session that could be taken up again, no renegotiation, no compression.
// Safe to share: OpenSSL counts references to it with atomics, and nothing changes it once made.
@safe
package final class TLSContext: @unchecked Sendable {
    private let context: OpaquePointer
    /// The hash of the certificate that `tls-server-end-point` binds to.
    package let endPointHash: [UInt8]?

    /// Reads a certificate, with those that it rests on after it, and its key, as PEM files.
    package init(certificatePath: String, keyPath: String) throws(TLSError) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw TLSError("make a TLS context")
        }
        unsafe self.context = context
        do throws(TLSError) {
            endPointHash = try unsafe Self.load(context, certificatePath, keyPath)
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        guard unsafe SSL_CTX_check_private_key(context) == 1 else {
            throw TLSError("use certificate \(certificatePath) with key \(keyPath)")
        }
        guard unsafe oxbow_tls_configure(context) == 1 else { throw TLSError("configure TLS") }
        unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// Loads both; returns the certificate's hash, where it says how to make one.
    private static func load(
        _ context: OpaquePointer,
        _ certificatePath: String,
        _ keyPath: String
    ) throws(TLSError) -> [UInt8]? {
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificatePath) == 1 else {
            throw TLSError("read the certificate \(certificatePath)")
        }
        try expectPrivate(keyPath)
        guard unsafe SSL_CTX_use_PrivateKey_file(context, keyPath, SSL_FILETYPE_PEM) == 1 else {
            let error = TLSError("read the key \(keyPath)")
            throw error.description.contains("mismatch")
                ? TLSError("the key \(keyPath) is not that of the certificate \(certificatePath)")
                : error
        }
        guard
            let certificate = unsafe SSL_CTX_get0_certificate(context),
            let digest = unsafe oxbow_end_point_digest(certificate)
        else { return nil }
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let done = unsafe hash.withUnsafeMutableBufferPointer {
            unsafe X509_digest(certificate, digest, $0.baseAddress, &count)
        }
        return done == 1 ? Array(hash.prefix(Int(count))) : nil
    }

    /// A key that others can read is none any more, and nobody is there to say the password of one
    /// that has been encrypted. As with PostgreSQL, root's may be for a group.
    private static func expectPrivate(_ path: String) throws(TLSError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw TLSError("read the key \(path): \(unsafe String(cString: strerror(errno)))")
        }
        guard status.st_mode & (status.st_uid == 0 ? 0o037 : 0o077) == 0 else {
            throw TLSError("others can come to the key \(path): `chmod 600` it")
        }
        let text = String(decoding: ComputeFiles.read(path, atMost: 1 << 20) ?? [], as: UTF8.self)
        guard !text.contains("ENCRYPTED") else {
            throw TLSError(
                "the key \(path) is encrypted, and the server has no password for it: `openssl "
                    + "pkey -in KEY -out PLAIN` writes one that is not"
            )
        }
    }

    /// The server's side of one connection.
    func accept(_ descriptor: Int32) throws(TLSError) -> TLSConnection {
        guard let connection = unsafe SSL_new(context) else { throw TLSError("begin TLS") }
        guard unsafe SSL_set_fd(connection, descriptor) == 1 else {
            unsafe SSL_free(connection)
            throw TLSError("begin TLS")
        }
        unsafe SSL_set_accept_state(connection)
        return unsafe TLSConnection(connection, endPointHash: endPointHash)
    }
}

/// Agrees on `postgresql`, or on nothing: who asks for another protocol is in the wrong place.
private func selectProtocol(
    _ connection: OpaquePointer?,
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?,
    _ offeredCount: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    let ours = Array("postgresql".utf8)
    guard let offered = unsafe offered, let chosen = unsafe chosen,
        let chosenCount = unsafe chosenCount
    else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredCount))
    var place = 0
    while place < list.count {
        let count = unsafe Int(list[place])
        let name = place + 1
        guard count > 0, name + count <= list.count else { break }
        if unsafe list[name..<name + count].elementsEqual(ours) {
            // It points into the client's list, which lives as long as is needed.
            unsafe chosen.pointee = offered + name
            unsafe chosenCount.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        place = name + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
