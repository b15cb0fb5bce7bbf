import CCrypto
import Primitives

/// The three functions of SCRAM-SHA-256, from libcrypto.
///
/// Where the library refuses (it may be configured to, for short keys or few rounds) that is an
/// error of the log-in and not of the program.
enum Crypto {
    static let digestCount = 32

    static func sha256(_ bytes: [UInt8]) throws(WireError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: digestCount)
        var count: UInt32 = 0
        let done = unsafe bytes.withUnsafeBytes { bytes in
            unsafe digest.withUnsafeMutableBufferPointer { digest in
                unsafe EVP_Digest(
                    bytes.baseAddress,
                    bytes.count,
                    digest.baseAddress,
                    &count,
                    EVP_sha256(),
                    nil
                )
            }
        }
        guard done == 1, count == digestCount else { throw refused("SHA-256") }
        return digest
    }

    static func hmac(key: [UInt8], _ message: [UInt8]) throws(WireError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: digestCount)
        var count: UInt32 = 0
        // A null key would mean the last one used, so that there is a byte even of an empty one.
        let padded = key.isEmpty ? [0] : key
        let made = unsafe padded.withUnsafeBufferPointer { padded in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe digest.withUnsafeMutableBufferPointer { digest in
                    unsafe HMAC(
                        EVP_sha256(),
                        padded.baseAddress,
                        Int32(key.count),
                        message.baseAddress,
                        message.count,
                        digest.baseAddress,
                        &count
                    ) != nil
                }
            }
        }
        guard made, count == digestCount else { throw refused("HMAC-SHA-256") }
        return digest
    }

    /// One block of PBKDF2, which RFC 5802 calls Hi.
    static func pbkdf2(
        password: [UInt8],
        salt: [UInt8],
        iterations: Int
    ) throws(WireError) -> [UInt8] {
        invariant(WireLimits.scramIterations.contains(iterations), "\(iterations) rounds")
        invariant(salt.count <= WireLimits.scramSalt, "a salt of \(salt.count) bytes")
        invariant(password.count <= WireLimits.password, "\(password.count) bytes of password")
        var key = [UInt8](repeating: 0, count: digestCount)
        // An address even where the password is empty, with its length beside it.
        let padded = password + [0]
        let done = unsafe padded.withUnsafeBytes { padded in
            unsafe salt.withUnsafeBufferPointer { salt in
                unsafe key.withUnsafeMutableBufferPointer { key in
                    unsafe PKCS5_PBKDF2_HMAC(
                        padded.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32(password.count),
                        salt.baseAddress,
                        Int32(salt.count),
                        Int32(iterations),
                        EVP_sha256(),
                        Int32(key.count),
                        key.baseAddress
                    )
                }
            }
        }
        guard done == 1 else { throw refused("PBKDF2") }
        return key
    }

    /// Whether two secrets are the same, in a time that depends on their length alone.
    static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
            }
        }
    }

    static func xor(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        invariant(left.count == right.count, "\(left.count) bytes with \(right.count)")
        return zip(left, right).map { $0 ^ $1 }
    }

    private static func refused(_ what: String) -> WireError {
        WireError(.internalError, "libcrypto refused to compute \(what)")
    }
}
