/// Every bound of this layer. Lengths of messages are as on the wire, with their own four bytes.
package enum WireLimits {
    /// The largest start-up packet that PostgreSQL takes.
    package static let startupPacket = 10_000
    /// The largest message before authentication is through.
    package static let authenticationMessage = 10_000
    /// The largest SASL message within one.
    package static let saslMessage = 1_024
    /// PostgreSQL's largest message: what one allocation of its can hold.
    package static let largeMessage = 0x3FFF_FFFE
    /// The largest message of a kind that has no reason to be large, from a frontend.
    package static let smallMessage = 10_000
    /// The same, from a backend.
    package static let smallBackendMessage = 30_000
    /// The keys of protocol 3.2 that cancel.
    package static let cancelKey = 256
    /// Parameters of one start-up packet.
    package static let startupParameters = 128
    /// Rounds of PBKDF2: what a client does for a server at most, and what a verifier may ask.
    package static let scramIterations = 1...1_000_000
    package static let scramSalt = 1_024
    package static let scramNonce = 512
    /// Passwords, as PostgreSQL's clients cut them.
    package static let password = 4_096
    /// What a compute may say before it is ready.
    package static let computeParameters = 128
    package static let computeNotices = 64
    package static let computeLoginBytes = 256 << 10
    package static let computeMessage = 64 << 10
    /// Requests of a client that are not answered, beyond which no more of its bytes are read.
    package static let outstandingRequests = 16_384
    /// What one message that is decoded as a value may hold.
    package static let errorFields = 64
}
