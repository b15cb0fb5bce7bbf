import COpenSSL
import Glibc
import Primitives

/// A certificate that signs itself: for a server whose clients are told of it by hand, with
/// `sslrootcert=` and `sslmode=verify-full`.
package enum TLSCertificate {
    private static let days = 3650

    /// Makes a certificate and its key where one is missing, for these names and addresses.
    package static func make(
        certificatePath: String,
        keyPath: String,
        names: [String],
        serial: UInt64
    ) throws(TLSError) {
        if unsafe access(certificatePath, F_OK) == 0 && access(keyPath, F_OK) == 0 { return }
        guard let key = unsafe oxbow_make_key() else { throw TLSError("make a key") }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe X509_new() else { throw TLSError("make a certificate") }
        defer { unsafe X509_free(certificate) }
        guard unsafe fill(certificate, key, names, serial) else {
            throw TLSError("make a certificate")
        }
        // The key first, and each whole: so both are there only as a pair.
        _ = unsafe unlink(certificatePath)
        try unsafe write(keyPath, mode: 0o600, "key") { file in
            unsafe PEM_write_bio_PrivateKey(file, key, nil, nil, 0, nil, nil)
        }
        try unsafe write(certificatePath, mode: 0o644, "certificate") { file in
            unsafe PEM_write_bio_X509(file, certificate)
        }
    }

    private static func fill(
        _ certificate: OpaquePointer,
        _ key: OpaquePointer,
        _ names: [String],
        _ serial: UInt64
    ) -> Bool {
        let alternatives = names.map { isAddress($0) ? "IP:\($0)" : "DNS:\($0)" }
        // A name goes into a text that OpenSSL parses.
        guard !names.isEmpty, names.allSatisfy({ isPlain($0) }),
            unsafe X509_set_version(certificate, 2) == 1,
            unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1,
            unsafe oxbow_set_validity(certificate, days * 86_400) == 1,
            unsafe X509_set_pubkey(certificate, key) == 1,
            let subject = unsafe X509_get_subject_name(certificate),
            unsafe X509_NAME_add_entry_by_txt(
                subject,
                "CN",
                MBSTRING_UTF8,
                String(names[0].prefix(64)),
                -1,
                -1,
                0
            ) == 1, unsafe X509_set_issuer_name(certificate, subject) == 1
        else { return false }
        let extensions = [
            (NID_subject_alt_name, alternatives.joined(separator: ",")),
            (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
            (NID_key_usage, "critical,digitalSignature,keyCertSign"),
            (NID_ext_key_usage, "serverAuth"),
        ]
        for (kind, value) in extensions {
            guard unsafe oxbow_add_extension(certificate, kind, value) == 1 else { return false }
        }
        return unsafe X509_sign(certificate, key, EVP_sha256()) > 0
    }

    private static func isAddress(_ name: String) -> Bool {
        name.contains(":") || name.allSatisfy { $0 == "." || $0.isNumber }
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 253
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".:-*".contains($0)) }
    }

    /// Writes a file so that nobody sees half of it, with its mode from the start.
    private static func write(
        _ path: String,
        mode: mode_t,
        _ what: String,
        _ body: (OpaquePointer) -> Int32
    ) throws(TLSError) {
        let draft = path + ".new"
        _ = unsafe unlink(draft)
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw TLSError("write the \(what) to \(path)") }
        guard let file = unsafe BIO_new_fd(descriptor, BIO_CLOSE) else {
            close(descriptor)
            throw TLSError("write the \(what) to \(path)")
        }
        let done = unsafe body(file) == 1 && fsync(descriptor) == 0
        guard unsafe BIO_free(file) == 1, done, unsafe rename(draft, path) == 0 else {
            throw TLSError("write the \(what) to \(path)")
        }
    }
}
