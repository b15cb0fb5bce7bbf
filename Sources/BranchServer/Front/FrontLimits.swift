/// Every bound of the front.
package struct FrontLimits: Sendable {
    /// From the first byte that could come to the last of the authentication.
    package var loginSeconds = 10
    /// Connections that are not authenticated, in all and of one address. Beyond that, the one that
    /// has kept us waiting longest goes.
    package var unauthenticated = 1024
    package var unauthenticatedPerAddress = 512
    /// Connections in all.
    package var connections = 4096
    /// What a compute may take to let somebody in, and to take a cancel request.
    package var computeLoginSeconds = 30
    /// Threads that wait for computes, and for verifiers: so many clients may wait for branches
    /// that start slowly before others have to.
    package var openingThreads = 64
    package var verifyingThreads = 16
    /// How long somebody who is told good-bye may take to read that.
    package var goodbyeSeconds = 2
    /// How long a compute that is to end may take for the rest of a message that it has begun.
    package var lastMessageMilliseconds = 100
    /// Event loops.
    package var loops = 2

    package init() {}
}
